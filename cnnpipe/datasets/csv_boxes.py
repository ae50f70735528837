"""A table of boxes: one row each, with the picture's file, the box, its class and perhaps its split."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from cnnpipe.datasets import Dataset, Examples, SplitName
from cnnpipe.datasets._objects import Corners, Repairs, Stated, class_list, example_of, fitted
from cnnpipe.datasets._pictures import size_of
from cnnpipe.datasets._tables import number_in, rows_of, split_named, unused_columns
from cnnpipe.datasets.image_folder import existing
from cnnpipe.errors import Place, Problem, ProblemError
from cnnpipe.spec import RecipePath

BoxFormat = Literal["xyxy", "xywh", "center_xywh", "rel_xyxy", "rel_xywh", "rel_center_xywh"]
FARTHEST = 2.0
"""A coordinate that is farther than this from 0, and should be a share of the picture, is one in pixels."""


class CsvBoxes(Dataset):
    """A text table in UTF-8 whose first row names the columns.

    A picture with several boxes has several rows. One without any has a row whose box and class are empty.
    """

    keys: ClassVar[frozenset[str]] = frozenset({"images", "labels", "bounding_boxes"})
    also_called: ClassVar[tuple[str, ...]] = ("boxes", "box_table", "retinanet", "detection_csv")
    type: Literal["csv_boxes"] = "csv_boxes"
    path: RecipePath
    """The table; relative to the recipe. Its files are relative to its folder."""
    image_column: str = "image"
    """The column with the picture's file."""
    label_column: str = "label"
    """The column with the class."""
    box_columns: tuple[str, str, str, str] = ("xmin", "ymin", "xmax", "ymax")
    """The columns with the four numbers of the box, in the order of box_format."""
    box_format: BoxFormat = "xyxy"
    """What the numbers are, by Keras's names: left, top, right, bottom; or left, top, width, height; or the middle,
    width, height. In pixels, or with `rel_` as shares of the picture's width and height."""
    split_column: str | None = None
    """The column that says training, validation or test; None: content decides."""
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    """What stands between columns."""
    classes: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Class names in their order; None: those of the training objects, sorted."""

    def class_names(self) -> tuple[str, ...] | None:
        """Return what the recipe says."""
        return self.classes

    def open(self, folder: Path) -> Examples:
        """Read all rows; an example's name is its file as the table writes it, in the order of first rows.

        Raises:
            ProblemError: The table, a column or a picture is not there, or rows are not what they should be.
        """
        table = existing(folder / self.path, "file")
        rows: dict[str, list[tuple[Place, dict[str, str]]]] = {}
        for place, row in rows_of(table, self.delimiter, self._columns()):
            rows.setdefault(row[self.image_column], []).append((place, row))
        repairs, problems = Repairs(), list[Problem]()
        found: dict[str, tuple[SplitName | None, list[Stated]]] = {}
        for name, own in rows.items():
            try:
                found[name] = self._picture(table.parent / name, own, repairs)
            except ProblemError as error:
                problems += error.problems
        if problems:
            raise ProblemError(problems)
        names = class_list(self.classes, found)
        examples = tuple(
            example_of(name, split, table.parent / name, rows[name][0][0], items, names)
            for name, (split, items) in found.items()
        )
        used = [column for _, column in self._columns()]
        return Examples(examples, names, unused_columns(table, self.delimiter, used), repairs.by_kind())

    def _columns(self) -> list[tuple[str, str]]:
        columns = [("image_column", self.image_column), ("label_column", self.label_column)]
        columns += [("box_columns", name) for name in self.box_columns]
        return [*columns, *([("split_column", self.split_column)] if self.split_column else [])]

    def _picture(
        self, file: Path, rows: list[tuple[Place, dict[str, str]]], repairs: Repairs
    ) -> tuple[SplitName | None, list[Stated]]:
        """Return split and objects of one picture."""
        first = rows[0][0]
        if not rows[0][1][self.image_column]:
            raise ProblemError(Problem(f"the column '{self.image_column}' is empty", first))
        try:
            size = size_of(file) if file.is_file() else None
        except ValueError as error:
            raise ProblemError(Problem(str(error), first)) from None
        if size is None:
            raise ProblemError(Problem(f"there is no picture {file}", first))
        splits: dict[SplitName | None, Place] = {}
        items, problems = [], []
        for place, row in rows:
            try:
                splits.setdefault(split_named(row[self.split_column]) if self.split_column else None, place)
                items += self._objects(row, place, size)
            except ValueError as error:
                problems.append(Problem(str(error), place))
        if len(splits) > 1:
            (one, _), (other, place), *_ = splits.items()
            problems.append(Problem(f"the picture is of the {other} split, and in line {first.line} of {one}", place))
        if problems:
            raise ProblemError(problems)
        return next(iter(splits)), fitted(items, size, repairs)

    def _objects(self, row: dict[str, str], place: Place, size: tuple[int, int]) -> list[Stated]:
        """Return the object of a row, if it has one. Raises `ValueError` when it is not what it should be."""
        label, cells = row[self.label_column], [row[column] for column in self.box_columns]
        if not label and not any(cells):
            return []
        if not label:
            raise ValueError(f"the column '{self.label_column}' is empty, but there is a box")
        numbers = [number_in(cell, column) for cell, column in zip(cells, self.box_columns, strict=True)]
        return [Stated(corners_of(numbers, self.box_format, size), label, place)]


def corners_of(numbers: list[float], box_format: BoxFormat, size: tuple[float, float]) -> Corners:
    """Return left, top, right, bottom in pixels.

    Args:
        numbers: The box.
        box_format: What they are.
        size: Width and height of the picture.

    Raises:
        ValueError: They should be shares of the picture, and are far beyond.
    """
    if box_format.startswith("rel_"):
        if far := [number for number in numbers if abs(number) > FARTHEST]:
            raise ValueError(f"the box must be in shares of the picture, 0 to 1 (received {far[0]:g})")
        numbers = [number * side for number, side in zip(numbers, (*size, *size), strict=True)]
    first, second, third, fourth = numbers
    if box_format.endswith("center_xywh"):
        return first - third / 2, second - fourth / 2, first + third / 2, second + fourth / 2
    if box_format.endswith("xywh"):
        return first, second, first + third, second + fourth
    return first, second, third, fourth
