"""What `new` is told about data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image as pillow

from cnnpipe.datasets.csv import Csv
from cnnpipe.datasets.image_folder import ImageFolder
from cnnpipe.errors import ProblemError
from cnnpipe.inspection import describe_folder

Photos = Callable[..., Path]


def problem(path: Path) -> str:
    with pytest.raises(ProblemError) as caught:
        describe_folder(path)
    return str(caught.value)


def test_a_folder_of_photos(tmp_path: Path, make_photos: Photos) -> None:
    photos = make_photos(tmp_path / "photos", {"circle": 3, "square": 4}, size=(30, 50))
    (photos / "circle" / "notes.txt").write_text("no picture")
    found = describe_folder(photos)
    assert found == {
        "source": {"type": "image_folder", "path": str(photos)},
        "class_names": ("circle", "square"),
        "examples": 8,
        "image_size": (30, 50),
        "color_mode": "rgb",
        "notes": (),
    }
    source = {key: value for key, value in found["source"].items() if key != "type"}
    assert len(ImageFolder.model_validate(source).open(Path()).examples) == 8


def test_sizes_are_upright_and_gray_is_seen(tmp_path: Path) -> None:
    exif = pillow.Exif()
    exif[0x0112] = 6
    for name in ("a", "b"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        pillow.new("L", (40, 20)).save(tmp_path / "photos" / name / "1.jpg", exif=exif)
    found = describe_folder(tmp_path / "photos")
    assert (found["image_size"], found["color_mode"]) == ((40, 20), "grayscale")


@pytest.mark.parametrize(("suffix", "delimiter"), [(".csv", ","), (".tsv", "\t")])
def test_a_table(tmp_path: Path, make_photos: Photos, suffix: str, delimiter: str) -> None:
    make_photos(tmp_path, {"circle": 3})
    table = tmp_path / f"table{suffix}"
    rows = [["number", "Filename", "Class", "split"]]
    rows += [[str(number), f"circle/{number}.jpg", "round", "train"] for number in range(3)]
    table.write_text("\n".join(delimiter.join(row) for row in rows))
    found = describe_folder(table)
    assert found["source"]["type"] == "csv" and found["class_names"] == ("round",) and found["examples"] == 3
    source = {key: value for key, value in found["source"].items() if key != "type"}
    assert Csv.model_validate(source).open(Path()).examples[0].split == "training"


def test_what_it_cannot_describe(tmp_path: Path) -> None:
    assert "does not exist" in problem(tmp_path / "nothing")
    (tmp_path / "a.csv").write_text("name,label\nx,y\n")
    text = problem(tmp_path / "a.csv")
    assert "no column of" in text and "(it has name, label)" in text and "image_column" in text
    assert f"Give {tmp_path / 'a.csv'}." in problem(tmp_path)
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / "1.jpg").write_text("no picture")
    assert "is no folder with a folder for each class, and no table" in problem(tmp_path / "cats" / "1.jpg")
    assert "none of 1 files can be opened as a picture" in problem(tmp_path)
    assert "data.source" not in problem(tmp_path / "nothing")
