"""Tables with a row for each box, in any of the usual formats; mistakes with their lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnpipe.datasets import Examples
from cnnpipe.datasets.csv_boxes import CsvBoxes

HEADER = "image,label,xmin,ymin,xmax,ymax\n"


@pytest.fixture
def table(tmp_path: Path, picture: Callable[..., Path]) -> Callable[..., Examples]:
    """Return a function that writes a table beside the pictures a.png and b.png, 40x30, and opens it."""

    def write(content: str, **fields: Any) -> Examples:
        for name in "ab":
            picture(tmp_path / f"{name}.png")
        (tmp_path / "boxes.csv").write_text(content)
        return CsvBoxes.model_validate({"path": "boxes.csv", **fields}).open(tmp_path)

    return write


def boxes(found: Examples, number: int = 0) -> list[list[float]]:
    return found.examples[number].read()["bounding_boxes"]["boxes"].tolist()


def test_rows_of_a_picture_are_its_boxes(table: Callable[..., Examples]) -> None:
    found = table(HEADER + "b.png,dog,1,2,3,4\na.png,,,,,\nb.png,cat,5,6,7,8\n")
    assert found.class_names == ("cat", "dog")
    assert [example.name for example in found.examples] == ["b.png", "a.png"]
    assert boxes(found) == [[1, 2, 3, 4], [5, 6, 7, 8]] and boxes(found, 1) == []
    assert found.examples[0].read()["bounding_boxes"]["labels"].tolist() == [1, 0]
    assert found.examples[1].place is not None and found.examples[1].place.line == 3


@pytest.mark.parametrize(
    ("box_format", "row"),
    [
        ("xyxy", "4,6,20,12"), ("xywh", "4,6,16,6"), ("center_xywh", "12,9,16,6"), ("rel_xyxy", "0.1,0.2,0.5,0.4"),
        ("rel_xywh", "0.1,0.2,0.4,0.2"), ("rel_center_xywh", "0.3,0.3,0.4,0.2"),
    ],
)  # fmt: skip
def test_every_format_says_the_same(table: Callable[..., Examples], box_format: str, row: str) -> None:
    columns = {"box_columns": ("a", "b", "c", "d"), "box_format": box_format}
    found = table(f"label,image,a,b,c,d,e\ndog,a.png,{row},1\n", **columns)
    np.testing.assert_allclose(boxes(found), [[4, 6, 20, 12]], atol=1e-5)
    assert found.notes == ("Columns of boxes.csv that are not used: e.",)


def test_a_column_may_tell_the_splits(table: Callable[..., Examples]) -> None:
    found = table("image,label,xmin,ymin,xmax,ymax,s\na.png,x,1,1,5,5,train\nb.png,x,1,1,5,5,val\n", split_column="s")
    assert [example.split for example in found.examples] == ["training", "validation"]


def test_boxes_without_area_are_left_out_and_told(table: Callable[..., Examples], tmp_path: Path) -> None:
    found = table(HEADER + "a.png,dog,1,2,3,4\na.png,dog,5,6,5,8\n")
    assert boxes(found) == [[1, 2, 3, 4]]
    assert found.repairs == {"boxes without area, left out": (f"{tmp_path}/boxes.csv:3 [5, 6, 5, 8]",)}


@pytest.mark.parametrize(
    ("rows", "fields", "expected"),
    [
        ("a.png,dog,1,2,3\n", {}, "boxes.csv:2:1: the row has 5 cells, but the first row names 6 columns."),
        ("a.png,dog,1,2,x,4\n", {}, "boxes.csv:2:1: the column 'xmax' must hold a number (received 'x')."),
        ("a.png,,1,2,3,4\n", {}, "boxes.csv:2:1: the column 'label' is empty, but there is a box."),
        ("c.png,dog,1,2,3,4\n", {}, "boxes.csv:2:1: there is no picture c.png."),
        ("a.png,dog,1,2,3,4\n", {"box_format": "rel_xyxy"}, "boxes.csv:2:1: the box must be in shares of the "
         "picture, 0 to 1 (received 3)."),
        ("a.png,dog,1,2,3,4\n", {"classes": ("dogs",)}, "boxes.csv:2:1: the classes of the source have no 'dog'. "
         "Did you mean 'dogs'?"),
        ("a.png,dog,1,2,3,4\n", {"box_columns": ("xmin", "ymin", "x2", "ymax")}, "data.source.box_columns: there is no "
         "column 'x2' in boxes.csv. The columns are image, label, xmin, ymin, xmax, ymax."),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_lines(
    table: Callable[..., Examples], problems: Callable[..., str], tmp_path: Path, rows: str, fields: dict[str, Any],
    expected: str,
) -> None:  # fmt: skip
    table(HEADER + "a.png,dog,1,2,3,4\n")
    (tmp_path / "boxes.csv").write_text(HEADER + rows)
    assert problems(CsvBoxes, {"path": "boxes.csv", **fields}) == expected


def test_a_picture_in_two_splits_is_told(
    table: Callable[..., Examples], problems: Callable[..., str], tmp_path: Path
) -> None:
    table(HEADER + "a.png,dog,1,2,3,4\n")
    (tmp_path / "boxes.csv").write_text(
        "image,label,xmin,ymin,xmax,ymax,s\na.png,x,1,1,5,5,train\na.png,x,1,1,5,5,val\n"
    )
    said = problems(CsvBoxes, {"path": "boxes.csv", "split_column": "s"})
    assert said == "boxes.csv:3:1: the picture is of the validation split, and in line 2 of training."
