"""Tables as people write them; what is wrong in them is told with its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cnnpipe.datasets import Examples
from cnnpipe.datasets.csv import Csv
from cnnpipe.errors import ProblemError

Table = Callable[..., Examples]


@pytest.fixture
def table(tmp_path: Path) -> Table:
    """Return a function that writes a table, with the text `a.jpg` in the file `a.jpg`, and opens it."""

    def write(content: str | bytes, **fields: Any) -> Examples:
        (tmp_path / "a.jpg").write_bytes(b"a.jpg")
        file = tmp_path / "photos.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return Csv.model_validate({"path": "photos.csv", **fields}).open(tmp_path)

    return write


def problem(table: Table, content: str | bytes, **fields: Any) -> str:
    with pytest.raises(ProblemError) as caught:
        table(content, **fields)
    return str(caught.value)


def labels(found: Examples) -> list[Any]:
    return [example.read.args[1] for example in found.examples]  # type: ignore[attr-defined]


def test_one_label(table: Table, tmp_path: Path) -> None:
    found = table("\ufeffimage, label ,other\na.jpg,dog,1\n\nsub/b.jpg, cat,2\n")
    assert found.class_names == ("cat", "dog")
    assert found.notes == ("Columns of photos.csv that are not used: other.",)
    assert [example.name for example in found.examples] == ["a.jpg", "sub/b.jpg"]
    assert found.examples[0].read() == {"images": b"a.jpg", "labels": "dog"}
    assert found.examples[1].file == tmp_path / "sub" / "b.jpg"
    assert found.examples[1].place is not None and found.examples[1].place.line == 4


def test_other_columns_and_delimiters(table: Table) -> None:
    found = table("Datei;Art\na.jpg;Hund\n", image_column="Datei", label_column="Art", delimiter=";")
    assert found.class_names == ("Hund",)


def test_several_labels_in_one_column(table: Table) -> None:
    found = table("image,label\na.jpg,dog|cat\nb.jpg,\nc.jpg,cat | cat\n", label_separator="|")
    assert found.class_names == ("cat", "dog")
    assert labels(found) == [("dog", "cat"), (), ("cat",)]


def test_one_column_for_each_class(table: Table) -> None:
    found = table("image,dog,cat\na.jpg,1,0\nb.jpg,1,1\nc.jpg,0,0\n", label_column=("dog", "cat"))
    assert found.class_names == ("dog", "cat")
    assert labels(found) == [("dog",), ("dog", "cat"), ()]


def test_numbers(table: Table) -> None:
    found = table("image,label\na.jpg,1.5\nb.jpg,-2\n", label_type="number")
    assert found.class_names is None
    assert labels(found) == [1.5, -2.0]


def test_a_split_column(table: Table) -> None:
    found = table("image,label,split\na.jpg,x,train\nb.jpg,x,Val\nc.jpg,x,test\n", split_column="split")
    assert [example.split for example in found.examples] == ["training", "validation", "test"]


@pytest.mark.parametrize(
    ("content", "fields", "expected"),
    [
        ("", {}, "photos.csv:1:1: the table is empty"),
        ("image,label\na.jpg,x,y\n", {}, "photos.csv:2:1: the row has 3 cells, but the first row names 2 columns"),
        ("image,label\na.jpg,x\na.jpg,y\n", {}, "photos.csv:3:1: 'a.jpg' stands in line 2 already"),
        ("image,label\n,x\n", {}, "photos.csv:2:1: the column 'image' is empty"),
        ("image,label\na.jpg,\n", {}, "photos.csv:2:1: the column 'label' is empty"),
        ("image,label,label\na.jpg,x,y\n", {}, "two columns are called 'label'"),
        ("image,lable\na.jpg,x\n", {}, "there is no column 'label'"),
        ("image,label\na.jpg,x\n", {"split_column": "fold"}, "there is no column 'fold'"),
        ("image,label,split\na.jpg,x,dev\n", {"split_column": "split"}, "photos.csv:2:1: the split must be one of"),
        ("image,label\na.jpg,much\n", {"label_type": "number"}, "must hold a number (received 'much')"),
        ("image,label\na.jpg,nan\n", {"label_type": "number"}, "must hold a number (received 'nan')"),
        ("image,dog,cat\na.jpg,2,0\n", {"label_column": ("dog", "cat")}, "the column 'dog' must hold 0 or 1"),
        (b"image,label\n\xff\xfe.jpg,x\n", {}, "is not UTF-8 text"),
        ('image,label\n"a.jpg,x\n', {}, "the table is broken"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_wrong_is_told_with_its_line(table: Table, content: Any, fields: Any, expected: str) -> None:
    assert expected in problem(table, content, **fields)


def test_a_misspelt_column_is_recognized(table: Table) -> None:
    text = problem(table, "image,lable\na.jpg,x\n")
    assert "Did you mean 'lable'?" in text and "data.source.label_column" in text


def test_a_class_that_training_does_not_have(table: Table) -> None:
    rows = "image,label,split\na.jpg,ant,train\nb.jpg,bee,train\nc.jpg,bees,test\n"
    text = problem(table, rows, split_column="split")
    assert "photos.csv:4:1: no training row has the class 'bees'. Did you mean 'bee'?" in text


def test_all_bad_rows_are_told_at_once(table: Table) -> None:
    assert problem(table, "image,label\n,x\na.jpg,\n").count("\n") == 1


def test_a_row_over_several_lines_keeps_the_places_right(table: Table) -> None:
    found = table('image,label,note\na.jpg,x,"two\nlines"\nb.jpg,y,\n')
    assert [example.place.line for example in found.examples if example.place] == [2, 4]


def test_keys_that_would_be_ignored_are_told() -> None:
    assert set(Csv(path="t", label_column=("a", "b")).ignored_keys()) == {"label_separator", "label_type"}
    assert set(Csv(path="t", label_type="number").ignored_keys()) == {"label_separator"}
    assert Csv(path="t").ignored_keys() == {}


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "photos.csv").write_text("image,label\n")
    with pytest.raises(ProblemError, match=r"photo\.csv does not exist\. Did you mean .*photos\.csv\?"):
        Csv(path="photo.csv").open(tmp_path)
