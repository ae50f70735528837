"""Each fault that is planted in a clean folder is found, at its file; a clean folder has no warning."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnpipe.diagnosis import extreme_sizes
from cnnpipe.errors import ProblemError
from cnnpipe.jobs.doctor import Diagnosis, doctor

RECIPE = """\
task: {type: image_classification}
data:
  source: {type: image_folder, path: photos}
  preprocessing: {image_size: [64, 64]}
model: {blocks: [{type: conv_relu_pool, filters: 2}]}
training: {epochs: 1}
"""

Diagnose = Callable[..., Diagnosis]
TURNED = 6
EXIF_ORIENTATION = 0x0112


def test_a_clean_folder_has_no_warning(photos: Path, diagnose: Diagnose) -> None:
    found = diagnose()
    assert found.findings == ()
    assert found.passed
    assert found.splits == {"training": 40, "validation": 10, "test": 10}
    assert found.classes["circle"] == {"training": 20, "validation": 5, "test": 5}
    assert found.pictures == {"format": {"JPEG": 60}, "mode": {"RGB": 60}, "size": {"96x96": 60}}


def truncated(folder: Path) -> Path:
    file = folder / "train" / "circle" / "3.jpg"
    file.write_bytes(file.read_bytes()[:400])
    return file


def empty(folder: Path) -> Path:
    file = folder / "test" / "square" / "1.jpg"
    file.write_bytes(b"")
    return file


def no_picture(folder: Path) -> Path:
    file = folder / "val" / "square" / "notes.txt"
    file.write_text("to do")
    return file


def renamed(folder: Path) -> Path:
    file = folder / "train" / "circle" / "0.jpg"
    picture = Image.open(file)
    picture.load()
    picture.save(file, "PNG")
    return file


def gray(folder: Path) -> Path:
    file = folder / "train" / "circle" / "0.jpg"
    Image.open(file).convert("L").save(file)
    return file


def one_colour(folder: Path) -> Path:
    file = folder / "train" / "circle" / "blank.png"
    Image.new("RGB", (96, 96), (10, 200, 30)).save(file)
    return file


def animated(folder: Path) -> Path:
    file = folder / "train" / "circle" / "0.gif"
    frames = [Image.open(folder / "train" / "circle" / f"{number}.jpg").rotate(30) for number in (1, 2)]
    frames[0].save(file, save_all=True, append_images=frames[1:])
    return file


def deep(folder: Path) -> Path:
    file = folder / "train" / "circle" / "deep.png"
    values = np.random.default_rng(0).integers(0, 65536, (96, 96), dtype=np.uint16)
    Image.fromarray(values).save(file)
    return file


def printed(folder: Path) -> Path:
    file = folder / "train" / "circle" / "0.jpg"
    Image.open(file).convert("CMYK").save(file, "JPEG")
    return file


def turned(folder: Path) -> Path:
    file = folder / "train" / "circle" / "0.jpg"
    picture = Image.open(file)
    exif = picture.getexif()
    exif[EXIF_ORIENTATION] = TURNED
    picture.save(file, exif=exif)
    return file


def tiny(folder: Path) -> Path:
    file = folder / "train" / "circle" / "0.jpg"
    Image.open(folder / "train" / "circle" / "0.jpg").rotate(90).resize((12, 12)).save(file)
    return file


def wide(folder: Path) -> Path:
    file = folder / "train" / "circle" / "0.jpg"
    Image.open(file).resize((240, 96)).save(file)
    return file


def copied(folder: Path) -> Path:
    return Path(shutil.copy(folder / "train" / "circle" / "3.jpg", folder / "test" / "circle" / "copy.jpg"))


def copied_within(folder: Path) -> Path:
    return Path(shutil.copy(folder / "train" / "circle" / "3.jpg", folder / "train" / "circle" / "copy.jpg"))


def copied_to_another_class(folder: Path) -> Path:
    return Path(shutil.copy(folder / "train" / "circle" / "3.jpg", folder / "train" / "square" / "copy.jpg"))


def resized(folder: Path) -> Path:
    file = folder / "test" / "circle" / "small.jpg"
    Image.open(folder / "train" / "circle" / "3.jpg").resize((64, 64)).save(file, quality=85)
    return file


def hidden_file(folder: Path) -> Path:
    file = folder / "train" / "circle" / ".DS_Store"
    file.write_bytes(b"\0")
    return file


def hidden_folder(folder: Path) -> Path:
    file = folder / "train" / ".ipynb_checkpoints"
    file.mkdir()
    shutil.copy(folder / "train" / "circle" / "3.jpg", file)
    return file


PLANTED: list[tuple[Callable[[Path], Path], str, str, str]] = [
    (truncated, "unreadable", "error", "1 example of 60 cannot be read"),
    (empty, "unreadable", "error", "1 example of 60 cannot be read"),
    (no_picture, "unreadable", "error", "1 example of 61 cannot be read"),
    (renamed, "wrong_extensions", "note", "1 file with an extension of another format"),
    (gray, "color_modes", "note", "1 of 60 pictures are gray"),
    (one_colour, "one_colour", "warning", "1 picture of a single colour"),
    (animated, "animated", "warning", "1 animated picture"),
    (deep, "bit_depth", "note", "1 picture with more than 8 bits a value"),
    (printed, "printing_colours", "warning", "1 picture in CMYK"),
    (turned, "orientation", "note", "1 picture stored turned or mirrored"),
    (tiny, "extreme_sizes", "warning", "1 picture much smaller than the others"),
    (tiny, "upscaling", "note", "1 of 60 pictures are smaller than the 32x32"),
    (wide, "aspect_ratios", "note", "1 of 60 pictures are distorted by resize: stretch"),
    (copied, "copies_across_splits", "warning", "exact copies of 1 test example stand in an earlier split"),
    (copied_within, "copies_within_a_split", "note", "1 of 41 training examples are exact copies"),
    (copied_to_another_class, "copies_with_other_labels", "warning", "1 group of exact copies with different labels"),
    (resized, "near_copies", "warning", "near copies of 1 test picture stand in an earlier split"),
]


@pytest.mark.parametrize(("plant", "check", "severity", "text"), PLANTED)
def test_a_planted_fault_is_found(
    photos: Path, diagnose: Diagnose, plant: Callable[[Path], Path], check: str, severity: str, text: str
) -> None:
    file = plant(photos)
    found = diagnose()
    (finding,) = [finding for finding in found.findings if finding.check == check]
    assert finding.severity == severity
    assert text in finding.message
    assert finding.count == 1
    assert str(file) in " ".join(finding.examples)
    assert finding.hint
    assert found.passed == (severity != "error")
    json.dumps(found.as_json())


@pytest.mark.parametrize("plant", [hidden_file, hidden_folder])
def test_what_the_source_left_out_is_told(photos: Path, diagnose: Diagnose, plant: Callable[[Path], Path]) -> None:
    file = plant(photos)
    (finding,) = diagnose().findings
    assert (finding.check, finding.severity) == ("left_out", "note")
    assert file.name in finding.message


def test_every_unreadable_file_is_listed(photos: Path, diagnose: Diagnose) -> None:
    files = [truncated(photos), empty(photos), no_picture(photos)]
    (finding,) = [finding for finding in diagnose().findings if finding.check == "unreadable"]
    assert finding.count == 3
    for file, why in zip(files, ("is damaged", "the file is empty", "this is no image"), strict=True):
        (line,) = [line for line in finding.examples if str(file) in line]
        assert why in line
    skipped = diagnose("data.unreadable=skip")
    assert skipped.passed
    assert [finding.severity for finding in skipped.findings if finding.check == "unreadable"] == ["warning"]


def test_classes_that_are_missing_small_or_out_of_balance(photos: Path, diagnose: Diagnose) -> None:
    for number in range(4, 20):
        (photos / "train" / "square" / f"{number}.jpg").unlink()
    for number in range(5):
        (photos / "test" / "square" / f"{number}.jpg").write_bytes(b"")
    found = {finding.check: finding for finding in diagnose("data.unreadable=skip").findings}
    assert found["missing_classes"].severity == "error"
    assert found["missing_classes"].message == "the test split has no example of 1 class: square"
    assert found["small_classes"].message == "1 class with fewer than 20 training examples: 'square' (4)"
    assert "'circle' has 20 training examples, 'square' 4" in found["class_balance"].message
    assert found["class_balance"].details == {"largest": "circle", "smallest": "square", "ratio": 5.0}


def test_a_pretrained_backbone_is_proposed_where_there_is_none(photos: Path, diagnose: Diagnose) -> None:
    (photos / "train" / "square" / "0.jpg").unlink()
    for model, proposed in (("{blocks: [dropout]}", True), ("{backbone: {type: mobilenet_v2, alpha: 0.35}}", False)):
        (finding,) = (one for one in diagnose(f"model={model}").findings if one.check == "small_classes")
        assert ("pretrained backbone" in finding.hint) == proposed
        assert finding.hint.endswith(".")


def test_a_format_that_tells_classes_apart(photos: Path, diagnose: Diagnose) -> None:
    for file in sorted(photos.rglob("square/*.jpg")):
        Image.open(file).save(file.with_suffix(".png"))
        file.unlink()
    (finding,) = diagnose().findings
    assert (finding.check, finding.severity) == ("shortcuts", "warning")
    assert "file format" in finding.message and "'circle' is JPEG, hardly any of 'square'" in finding.message


def test_a_label_that_the_task_cannot_use(photos: Path, diagnose: Diagnose) -> None:
    found = diagnose("task.classes=[circle, star]")
    (finding,) = found.findings
    assert (finding.check, finding.severity) == ("unusable", "error")
    assert "the classes stated are not those of the data" in finding.message
    assert not found.passed


def test_splits_that_the_recipe_contradicts(photos: Path, diagnose: Diagnose) -> None:
    found = diagnose("data.split.seed=5")
    (finding,) = found.findings
    assert (finding.check, finding.severity) == ("unusable", "error")
    assert "the source brings its own splits" in finding.message


def test_a_source_that_cannot_be_opened(diagnose: Diagnose) -> None:
    with pytest.raises(ProblemError, match="does not exist"):
        diagnose()


def test_huge_pictures(photos: Path, diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extreme_sizes, "HUGE", 96 * 96 + 1)
    assert diagnose().findings == ()
    file = photos / "train" / "circle" / "0.jpg"
    Image.open(file).resize((97, 97)).save(file)
    (finding,) = diagnose().findings
    assert (finding.check, finding.severity, finding.count) == ("extreme_sizes", "note", 1)
    assert str(file) in finding.examples[0]


def test_colours_that_the_recipe_takes_away(photos: Path, diagnose: Diagnose) -> None:
    (finding,) = diagnose("data.preprocessing.color_mode=grayscale").findings
    assert (finding.check, finding.severity, finding.count) == ("color_modes", "note", 60)


@pytest.mark.real_data
def test_photos_of_ants_and_bees(real_data: Path, tmp_path: Path) -> None:
    """Real photos, whose two folders share none: no false alarm, and the two gray ones are told."""
    source = f'data.source={{"type": "image_folder", "path": "{real_data / "hymenoptera"}"}}'
    (tmp_path / "small.yaml").write_text(RECIPE, encoding="utf-8")
    found = doctor(tmp_path / "small.yaml", [source], tmp_path / "runs")
    assert found.examples == 397
    checks = {finding.check: finding.severity for finding in found.findings}
    assert checks == {"aspect_ratios": "note", "color_modes": "note", "left_out": "note"}
    (gray,) = [finding for finding in found.findings if finding.check == "color_modes"]
    assert gray.count == 2
