"""YOLO's text files: shares of the picture, polygons, and what data.yaml says; mistakes with their lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cnnpipe.datasets.yolo import Yolo

NAMES = "train: images/train\nval: images/val\nnames: {0: cat, 1: dog}\n"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, picture: Callable[..., Path]) -> Write:
    """Return a function that writes data.yaml, a picture of 40x30 for each split, and rows: `write(train="0 …")`."""

    def make(yaml: str = NAMES, **rows: str) -> Path:
        (tmp_path / "data.yaml").write_text(yaml)
        for split in ("train", "val"):
            picture(tmp_path / "images" / split / f"{split}.jpg")
            (tmp_path / "labels" / split).mkdir(parents=True, exist_ok=True)
            (tmp_path / "labels" / split / f"{split}.txt").write_text(rows.get(split, ""))
        return tmp_path

    return make


def test_boxes_are_shares_and_become_pixels(write: Write) -> None:
    found = Yolo(path="data.yaml").open(write(train="1 0.5 0.5 0.5 0.2\n\n0 0.1 0.1 0.2 0.2\n"))
    assert found.class_names == ("cat", "dog") and found.told() == ()
    assert [(e.name, e.split) for e in found.examples] == [
        ("images/train/train.jpg", "training"), ("images/val/val.jpg", "validation"),
    ]  # fmt: skip
    raw = found.examples[0].read()["bounding_boxes"]
    np.testing.assert_allclose(raw["boxes"], [[10, 12, 30, 18], [0, 0, 8, 6]], atol=1e-5)
    assert raw["labels"].tolist() == [1, 0]
    assert found.examples[1].read()["labels"] == ()


def test_polygons_give_boxes_or_masks(write: Write) -> None:
    folder = write(train="1 0.25 0.2 0.75 0.2 0.75 0.6 0.25 0.6\n")
    for masks in (False, True):
        raw = Yolo(path="data.yaml", masks=masks).open(folder).examples[0].read()
        np.testing.assert_allclose(raw["bounding_boxes"]["boxes"], [[10, 6, 30, 18]], atol=1e-5)
        assert ("instance_masks" in raw) == masks
    wanted = np.zeros((30, 40), bool)
    wanted[6:18, 10:30] = True
    assert np.array_equal(raw["instance_masks"], wanted) and np.array_equal(raw["segmentation_masks"], 2 * wanted)


def test_class_names_are_known_without_the_pictures(write: Write) -> None:
    folder = write()
    assert Yolo(path=str(folder / "data.yaml")).class_names() == ("cat", "dog")
    assert Yolo(path=str(folder / "none.yaml")).class_names() is None


def test_splits_may_be_lists_of_pictures_and_several_folders(write: Write, tmp_path: Path) -> None:
    folder = write("train: [images/train, images/val]\ntest: test.txt\nnames: [cat]\n")
    (tmp_path / "test.txt").write_text("./images/train/train.jpg\n")
    found = Yolo(path="data.yaml").open(folder)
    assert [e.split for e in found.examples] == ["training", "training", "test"]


def test_pictures_without_a_file_of_boxes_have_no_objects_and_are_told(write: Write) -> None:
    folder = write(train="0 0.5 0.5 0.1 0.1\n0 0.98 0.5 0.1 0.1\n")
    (folder / "labels" / "val" / "val.txt").unlink()
    found = Yolo(path="data.yaml").open(folder)
    place = f"{folder}/labels/train/train.txt:2"
    assert found.repairs == {
        "boxes that reach beyond their picture, cut off": (f"{place} [0.93, 0.45, 1.03, 0.55] in 1x1",),
        "pictures without a file of boxes, taken as pictures without objects": (f"{folder}/images/val/val.jpg",),
    }  # fmt: skip
    assert len(found.examples[1].read()["bounding_boxes"]["boxes"]) == 0


@pytest.mark.parametrize(
    ("row", "masks", "expected"),
    [
        ("2 0.5 0.5 0.1 0.1", False, "the class must be a number from 0 to 1 (received '2')"),
        ("cat 0.5 0.5 0.1 0.1", False, "the class must be a number from 0 to 1 (received 'cat')"),
        ("1 0.5 0.5 0.1", False, "the class must be followed by four numbers, or pairs of them as a polygon "
         "(received 3 numbers)"),
        ("1 0.5 0.5 0.1 0.1", True, "the class must be followed by pairs of numbers, three or more "
         "(received 4 numbers)"),
        ("1 0.5 0.5 0.1 x", False, "'x' is no number"),
        ("1 200 150 40 30", False, "the box must be in shares of the picture, 0 to 1 (received 200)"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_row_is_told_with_its_line(
    write: Write, problems: Callable[..., str], row: str, masks: bool, expected: str
) -> None:
    write(train=f"\n{row}\n")
    assert problems(Yolo, {"path": "data.yaml", "masks": masks}) == f"labels/train/train.txt:2:1: {expected}."


@pytest.mark.parametrize(
    ("yaml", "expected"),
    [
        ("train: images/train\n", "data.yaml:1:1: it needs the class names as 'names', a list or a mapping of their "
         "numbers."),
        ("train: images/train\nnc: 3\nnames: [cat]\n", "data.yaml:2:1: nc is 3, but there are 1 names."),
        ("train: images/train\nnames: {1: cat}\n", "data.yaml:2:1: the numbers of the names must be 0 to 0."),
        ("train: pictures\nnames: [cat]\n", "data.yaml:1:1: pictures does not exist."),
        ("val: images/val\nnames: [cat]\n", "data.yaml:1:1: it names no pictures for training as 'train'."),
        ("train: [\n", "data.yaml:2:1: this is no YAML (expected the node content, but found "
         "'<stream end>')."),
        ("path: x\ntrain: a\nnames: [cat]\n", "data.yaml:1:1: the folder x does not exist."),
    ],
)  # fmt: skip
def test_what_is_wrong_in_data_yaml_is_told_with_its_line(
    write: Write, problems: Callable[..., str], yaml: str, expected: str
) -> None:
    write(yaml)
    assert problems(Yolo, {"path": "data.yaml"}) == expected
