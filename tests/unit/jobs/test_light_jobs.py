"""Jobs that need no TensorFlow: files as users name them, starter recipes, lists of runs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

import cnnpipe
from cnnpipe.errors import ProblemError
from cnnpipe.jobs.given_files import given_files
from cnnpipe.jobs.results import HEADLINE
from cnnpipe.jobs.runs import runs
from cnnpipe.runs import create_run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_files_folders_and_patterns(here: Path) -> None:
    touch(here, "b.jpg", "in/2.png", "in/1.png", "in/deep/3.png", "in/.hidden.png", "in/.git/4.png", "x[1].jpg")
    found = given_files(["b.jpg", "in", "in/*.png", Path("in/1.png"), "x[1].jpg"])
    assert [file.as_posix() for file in found] == ["b.jpg", "in/1.png", "in/2.png", "in/deep/3.png", "x[1].jpg"]
    assert given_files(["in/.hidden.png"]) == (Path("in/.hidden.png"),)
    assert given_files("b.jpg") == given_files(Path("b.jpg")) == (Path("b.jpg"),)


def test_names_that_stand_for_nothing_are_told_together(here: Path) -> None:
    (here / "empty").mkdir()
    with pytest.raises(ProblemError) as caught:
        given_files(["nothing.jpg", "*.png", "empty"])
    assert [problem.message for problem in caught.value.problems] == [
        "the file nothing.jpg does not exist",
        "no file matches the pattern '*.png'",
        "the folder empty holds no files",
    ]


def test_new_writes_a_recipe_that_checks(here: Path, make_photos: Callable[..., Path]) -> None:
    make_photos(here / "My photos", {"circle": 6, "square": 6})
    made = cnnpipe.new("image_classification", "My photos")
    assert made.file == Path("My-photos.yaml")
    assert made.notes[0].startswith("found 12 rgb images of 2 classes (circle, square)")
    text = made.file.read_text()
    assert 'path: "My photos"' in text
    assert text.startswith("# cnnpipe run My-photos.yaml\n")
    assert "# Where the examples come from." in text
    assert cnnpipe.check(made.file).problems == ()
    loaded = cnnpipe.load_recipe(made.file)
    assert loaded.recipe.data.source.open(loaded.folder).class_names == ("circle", "square")


def test_new_tells_where_pretrained_weights_come_from(
    here: Path, make_photos: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_photos(here / "photos", {"circle": 6, "square": 6}, size=(100, 120))
    monkeypatch.setenv("KERAS_HOME", str(here / "keras"))
    told = " ".join(cnnpipe.new("image_classification", "photos", "a.yaml").notes)
    name = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_96_no_top.h5"
    assert f"The first run will download the weights {name}" in told and "--from-scratch" in told
    touch(here, f"keras/models/{name}")
    told = " ".join(cnnpipe.new("image_classification", "photos", "b.yaml").notes)
    assert f"The weights {name} are in {here / 'keras' / 'models'} already." in told
    made = cnnpipe.new("image_classification", "photos", "c.yaml", pretrained=False)
    assert cnnpipe.load_recipe(made.file).recipe.model.backbone is None


def test_new_writes_paths_relative_to_the_recipe(here: Path, make_photos: Callable[..., Path]) -> None:
    make_photos(here / "photos", {"circle": 6, "square": 6})
    (here / "mine").mkdir()
    cnnpipe.new("image_classification", "photos", "mine/a.yaml")
    spaced = cnnpipe.new("image_classification", "photos", "my recipe.yaml").file
    assert spaced.read_text().startswith("# cnnpipe run 'my recipe.yaml'\n")
    text = (here / "mine" / "a.yaml").read_text()
    assert 'path: "../photos"}' in text
    assert text.startswith("# cnnpipe run mine/a.yaml\n")


def test_new_of_a_folder_whose_name_is_a_number(here: Path, make_photos: Callable[..., Path]) -> None:
    make_photos(here / "2024", {"circle": 6, "square": 6})
    assert cnnpipe.load_recipe(cnnpipe.new("image_classification", "2024").file).name == "2024"


def test_new_overwrites_nothing(here: Path, make_photos: Callable[..., Path]) -> None:
    make_photos(here / "photos", {"circle": 6, "square": 6})
    touch(here, "photos.yaml")
    with pytest.raises(ProblemError, match=r"photos\.yaml is there already\. Give another file with --output"):
        cnnpipe.new("image_classification", "photos")
    assert (here / "photos.yaml").read_text() == ""


def test_check_opens_the_data_for_classes_that_the_recipe_does_not_state(
    here: Path, make_photos: Callable[..., Path]
) -> None:
    make_photos(here / "photos", {"circle": 6, "square": 6})
    cnnpipe.new("image_classification", "photos")
    text = (here / "photos.yaml").read_text().replace(", classes: [circle, square]", "")
    assert "classes" not in text
    (here / "photos.yaml").write_text(text)
    assert cnnpipe.check("photos.yaml").passed
    os.rename(here / "photos", here / "gone")
    (problem,) = cnnpipe.check("photos.yaml").problems
    assert problem.place is not None
    assert problem.place.line == text[: text.index("source:")].count("\n") + 1
    assert "does not exist" in problem.message


def record(here: Path, name: str, score: float | None, higher_is_better: bool = True) -> None:
    headline = {"metric": "m", "value": score, "higher_is_better": higher_is_better}
    create_run(here / "runs", name, {} if score is None else {HEADLINE: headline})


def test_runs_are_listed_best_first(here: Path) -> None:
    for score in (0.5, None, 0.9, 0.9):
        record(here, "digits", score)
    for score in (3.0, 1.0, 2.0):
        record(here, "discs", score, higher_is_better=False)
    order = ["digits/0004", "digits/0003", "digits/0001", "digits/0002", "discs/0002", "discs/0003", "discs/0001"]
    assert [run.reference for run in runs()] == order
    assert [run.reference for run in runs("discs")] == order[4:]
    json.dumps([run.as_json() for run in runs()])
    with pytest.raises(ProblemError, match="Did you mean 'digits'"):
        runs("digit")


def test_new_only_mirrors_when_it_is_told_to(here: Path, make_photos: Callable[..., Path]) -> None:
    make_photos(here / "photos", {"circle": 6, "square": 6})
    quiet = cnnpipe.new("image_classification", "photos", "quiet.yaml").file
    told = cnnpipe.new("image_classification", "photos", "told.yaml", flip=True).file
    mirrors = [
        [spec for spec in cnnpipe.load_recipe(file).recipe.data.augmentation if spec.mirrors()]
        for file in (quiet, told)
    ]
    assert [len(found) for found in mirrors] == [0, 1]
    assert mirrors[1][0].mirrors() == {"horizontal"}
    comment = "    # - {type: random_flip, mode: horizontal}\n"
    assert comment in quiet.read_text() and comment not in told.read_text()
    quiet.write_text(quiet.read_text().replace("    # - {", "    - {"))
    assert any(spec.mirrors() for spec in cnnpipe.load_recipe(quiet).recipe.data.augmentation)
