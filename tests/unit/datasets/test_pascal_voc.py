"""Pascal VOC: boxes, lists, and what is wrong in either, with its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cnnpipe.datasets.pascal_voc import PascalVoc

Voc = Callable[..., Path]


def xml(*objects: str, size: str = "<size>\n<width>40</width><height>30</height></size>") -> str:
    return f"<annotation>\n<filename>other.jpg</filename>\n{size}\n" + "\n".join(objects) + "\n</annotation>\n"


def box(name: str, *corners: float | str, more: str = "") -> str:
    sides = zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True)
    return (
        f"<object><name> {name} </name>{more}<bndbox>{''.join(f'<{s}>{n}</{s}>' for s, n in sides)}</bndbox></object>"
    )


@pytest.fixture
def write(tmp_path: Path, picture: Callable[..., Path]) -> Voc:
    """Return a function that writes XML files with their pictures, and lists: `write(a=..., lists={"train": "a"})`."""

    def make(lists: dict[str, str] | None = None, **texts: str) -> Path:
        (tmp_path / "Annotations").mkdir(exist_ok=True)
        for name, text in texts.items():
            (tmp_path / "Annotations" / f"{name}.xml").write_text(text)
            picture(tmp_path / "JPEGImages" / f"{name}.jpg")
        for name, lines in (lists or {}).items():
            (tmp_path / "ImageSets" / "Main").mkdir(parents=True, exist_ok=True)
            (tmp_path / "ImageSets" / "Main" / f"{name}.txt").write_text("\n".join(lines.split()) + "\n")
        return tmp_path

    return make


def test_boxes_are_read_in_pixels_and_classes_are_sorted(write: Voc) -> None:
    folder = write(a=xml(box("dog", 1, 2, 11, 22), box("cat", 0.5, 0, 40, 30)), b=xml())
    found = PascalVoc(path=".").open(folder)
    assert found.class_names == ("cat", "dog") and found.told() == ()
    raw = found.examples[0].read()
    assert raw["bounding_boxes"]["boxes"].tolist() == [[1, 2, 11, 22], [0.5, 0, 40, 30]]
    assert raw["bounding_boxes"]["labels"].tolist() == [1, 0] and raw["labels"] == ("cat", "dog")
    assert found.examples[1].read()["bounding_boxes"]["boxes"].shape == (0, 4)
    assert [example.split for example in found.examples] == [None, None]


def test_pixels_may_be_counted_from_one(write: Voc) -> None:
    folder = write(a=xml(box("dog", 1, 1, 40, 30)))
    raw = PascalVoc(path=".", first_pixel=1).open(folder).examples[0].read()
    assert raw["bounding_boxes"]["boxes"].tolist() == [[0, 0, 40, 30]], "the whole picture"


def test_difficult_objects_count_or_are_crowds(write: Voc) -> None:
    folder = write(a=xml(box("dog", 1, 1, 9, 9, more="<difficult>1</difficult>"), box("dog", 2, 2, 9, 9)))
    assert "crowd" not in PascalVoc(path=".").open(folder).examples[0].read()["bounding_boxes"]
    raw = PascalVoc(path=".", difficult="crowd").open(folder).examples[0].read()
    assert raw["bounding_boxes"]["crowd"].tolist() == [True, False]


def test_parts_of_objects_are_no_objects(write: Voc) -> None:
    part = "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>"
    found = PascalVoc(path=".").open(write(a=xml(box("dog", 1, 1, 9, 9, more=part))))
    assert found.class_names == ("dog",)
    assert found.examples[0].read()["bounding_boxes"]["boxes"].tolist() == [[1, 1, 9, 9]]


def test_lists_tell_the_splits_and_what_none_names_is_told(write: Voc) -> None:
    dog = xml(box("dog", 1, 1, 9, 9))
    folder = write({"train": "b", "val": "a", "trainval": "a b"}, a=dog, b=dog, c=dog)
    found = PascalVoc(path=".").open(folder)
    assert [(example.name, example.split) for example in found.examples] == [("b", "training"), ("a", "validation")]
    assert found.notes == ("XML files that no list names: 1, such as c.xml.",)
    stated = PascalVoc.model_validate({"path": ".", "splits": {"training": "trainval"}}).open(folder)
    assert [(example.name, example.split) for example in stated.examples] == [("a", "training"), ("b", "training")]


def test_boxes_that_cannot_be_seen_are_left_out_and_told_with_their_lines(write: Voc, tmp_path: Path) -> None:
    boxes = [box("dog", *c) for c in ((5, 5, 5, 9), (50, 5, 60, 9), (-4, 5, 45, 9), (9, 9, 3, 12), (0, 0, 40.4, 30))]
    found = PascalVoc(path=".").open(write(a=xml(*boxes)))
    raw = found.examples[0].read()["bounding_boxes"]
    np.testing.assert_allclose(raw["boxes"], [[0, 5, 40, 9], [0, 0, 40, 30]])
    file = f"{tmp_path}/Annotations/a.xml"
    assert found.repairs == {
        "boxes without area, left out": (f"{file}:5 [5, 5, 5, 9]", f"{file}:8 [9, 9, 3, 12]"),
        "boxes outside of their picture, left out": (f"{file}:6 [50, 5, 60, 9] in 40x30",),
        "boxes that reach beyond their picture, cut off": (f"{file}:7 [-4, 5, 45, 9] in 40x30",),
    }
    assert found.told()[0] == f"Boxes without area, left out: 2 ({file}:5 [5, 5, 5, 9]; {file}:8 [9, 9, 3, 12])."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (xml(box("dog", 1, "x", 9, 9)), "Annotations/a.xml:5:49: 'ymin' must be a number (received 'x')."),
        (xml(box("dog", 1, "nan", 9, 9)), "Annotations/a.xml:5:49: 'ymin' must be a number (received 'nan')."),
        (xml("<object><name>dog</name></object>"), "Annotations/a.xml:5:1: the object has no bndbox."),
        (xml(box("", 1, 2, 3, 4)), "Annotations/a.xml:5:1: the object has no name."),
        (xml(box("dog", 1, 2, 3, 4), "<object>"), "Annotations/a.xml:7:3: this is no XML (mismatched tag)."),
        ("", "Annotations/a.xml:1:1: this is no XML (no element found)."),
        ('<!DOCTYPE a [<!ENTITY b "c">]><annotation/>', "Annotations/a.xml:1:25: the file declares entities, which "
         "annotations need not."),
        (
            xml(size="<size><width>30</width><height>40</height></size>"),
            "Annotations/a.xml:3:1: the size is 30x40, but JPEGImages/a.jpg has 40x30. Are the boxes those of another "
            "picture, or of one that was turned?",
        ),
        (xml(), "data.source: there is no object for training, so the classes are not known."),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_told_with_its_place(
    write: Voc, problems: Callable[..., str], text: str, expected: str
) -> None:
    write(a=text)
    assert problems(PascalVoc, {"path": "."}) == expected


def test_unknown_classes_are_told_with_their_lines(write: Voc, problems: Callable[..., str]) -> None:
    dog, cat = xml(box("dog", 1, 1, 9, 9)), xml(box("dogs", 1, 1, 9, 9), box("x", 1, 1, 9, 9))
    write({"train": "a", "val": "b"}, a=dog, b=cat)
    assert problems(PascalVoc, {"path": "."}) == (
        "Annotations/b.xml:5:28: no training picture has the class 'dogs'. Did you mean 'dog'?\n"
        "Annotations/b.xml:6:25: no training picture has the class 'x'. The classes are dog."
    )
    assert "the classes of the source have no 'dog'" in problems(PascalVoc, {"path": ".", "classes": ("cat",)})


def test_files_that_are_missing_are_all_told(write: Voc, problems: Callable[..., str], tmp_path: Path) -> None:
    write({"train": "a c", "val": "a b"}, a=xml(), b=xml(box("dog", 1, 1, 9, 9)))
    assert problems(PascalVoc, {"path": "."}) == (
        "ImageSets/Main/val.txt:1:1: 'a' stands in ImageSets/Main/train.txt:1 already. An example belongs to one split."
    )
    write({"val": "b"})
    (tmp_path / "JPEGImages" / "b.jpg").unlink()
    assert problems(PascalVoc, {"path": "."}) == (
        "ImageSets/Main/train.txt:2:1: there is no Annotations/c.xml.\n"
        "Annotations/b.xml:1:1: there is no picture 'b' in JPEGImages."
    )
    assert "there is no list ImageSets/Main/training.txt. " in problems(
        PascalVoc, {"path": ".", "splits": {"training": "training"}}
    )


@pytest.mark.real_data
def test_blood_cells_have_two_boxes_without_area(real_data: Path) -> None:
    found = PascalVoc(path="bccd").open(real_data)
    assert found.class_names == ("Platelets", "RBC", "WBC")
    assert [sum(e.split == s for e in found.examples) for s in ("training", "validation", "test")] == [205, 87, 72]
    ((kind, places),) = found.repairs.items()
    assert kind == "boxes without area, left out"
    assert [Path(place).name for place in sorted(place.partition(" ")[0] for place in places)] == [
        "BloodImage_00338.xml:163", "BloodImage_00343.xml:55",
    ]  # fmt: skip
    assert sum(len(example.read()["bounding_boxes"]["boxes"]) for example in found.examples) == 4886
