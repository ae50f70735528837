"""A table of pictures: one row each, with its file, its labels and perhaps its split."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from cnnpipe.datasets import SPLITS, Dataset, Example, Examples, SplitName
from cnnpipe.datasets.image_folder import SPLIT_FOLDERS, content_of, existing
from cnnpipe.errors import Place, Problem, ProblemError
from cnnpipe.spec import RecipePath, nearest

Label = str | tuple[str, ...] | float
LISTED = 5
"""How many columns a note names before it only counts."""


class Csv(Dataset):
    """A text table in UTF-8 whose first row names the columns.

    The class list is what the training rows say, sorted; with several label columns it is their names in order.
    """

    also_called: ClassVar[tuple[str, ...]] = ("table", "dataframe", "pandas", "tsv", "file", "annotations")
    type: Literal["csv"] = "csv"
    path: RecipePath
    """The table; relative to the recipe. Its files are relative to its folder."""
    image_column: str = "image"
    """The column with the picture's file."""
    label_column: str | tuple[str, ...] = "label"
    """The column with the label; or several columns, one for each class, that hold 0 or 1."""
    label_type: Literal["class", "number"] = "class"
    """Whether a label is a class's name or a number to be predicted."""
    label_separator: str | None = Field(default=None, min_length=1)
    """What stands between several classes in one column, such as `|`; None: each row has one class."""
    split_column: str | None = None
    """The column that says training, validation or test; None: content decides."""
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    """What stands between columns."""

    def ignored_keys(self) -> dict[str, str]:
        """Columns of 0 and 1 are not split, and are no numbers; a number is not split."""
        if not isinstance(self.label_column, str):
            return dict.fromkeys(("label_separator", "label_type"), "because label_column names several columns")
        return {"label_separator": "because label_type is number"} if self.label_type == "number" else {}

    def open(self, folder: Path) -> Examples:
        """List the rows in the table's order; an example's name is its file as the table writes it.

        Raises:
            ProblemError: The table or a column is not there, or rows are not what they should be; with their lines.
        """
        table = existing(folder / self.path, "file")
        problems: list[Problem] = []
        examples: dict[str, Example] = {}
        labels: dict[str, Label] = {}
        for place, row in _rows(table, self):
            try:
                name, label, split = self._row(row)
                if name in examples:
                    raise ValueError(f"'{name}' stands in line {_line(examples[name])} already")
            except ValueError as error:
                problems.append(Problem(str(error), place))
                continue
            file = table.parent / name
            labels[name] = label
            examples[name] = Example(name, split, partial(_read, file, label), file, place)
        names = None if self.label_type == "number" else self._class_names(examples, labels)
        problems += _unknown(examples, labels, names)
        if problems:
            raise ProblemError(problems)
        return Examples(tuple(examples.values()), names, self._unused(table))

    def _unused(self, table: Path) -> tuple[str, ...]:
        """Return a note when the table has columns that the recipe does not name, such as one of splits."""
        used = {self.image_column, self.split_column, *self._columns()}
        rest = [name for name in header_of(table, self.delimiter) if name and name not in used]
        shown = ", ".join(rest[:LISTED]) + (f" and {len(rest) - LISTED} more" if len(rest) > LISTED else "")
        return (f"Columns of {table.name} that are not used: {shown}.",) if rest else ()

    def _columns(self) -> tuple[str, ...]:
        return (self.label_column,) if isinstance(self.label_column, str) else self.label_column

    def _row(self, row: dict[str, str]) -> tuple[str, Label, SplitName | None]:
        """Return name, label and split of a row. Raises `ValueError` when one is not what it should be."""
        if not row[self.image_column]:
            raise ValueError(f"the column '{self.image_column}' is empty")
        split = _split(row[self.split_column]) if self.split_column else None
        return row[self.image_column], self._label(row), split

    def _label(self, row: dict[str, str]) -> Label:
        if not isinstance(self.label_column, str):
            if wrong := [name for name in self.label_column if row[name] not in ("0", "1")]:
                raise ValueError(f"the column '{wrong[0]}' must hold 0 or 1 (received '{row[wrong[0]]}')")
            return tuple(name for name in self.label_column if row[name] == "1")
        text = row[self.label_column]
        if self.label_type == "number":
            return _number(text, self.label_column)
        if self.label_separator is not None:
            return tuple(dict.fromkeys(part.strip() for part in text.split(self.label_separator) if part.strip()))
        if not text:
            raise ValueError(f"the column '{self.label_column}' is empty")
        return text

    def _class_names(self, examples: dict[str, Example], labels: dict[str, Label]) -> tuple[str, ...]:
        if not isinstance(self.label_column, str):
            return self.label_column
        found: set[str] = set()
        for name, label in labels.items():
            if examples[name].split in (None, "training"):
                found.update((label,) if isinstance(label, str) else label if isinstance(label, tuple) else ())
        return tuple(sorted(found))


def header_of(table: Path, delimiter: str) -> list[str]:
    """Return the names of a table's columns.

    Raises:
        ProblemError: It has none, or cannot be read.
    """
    place, header = next(_cells(table, delimiter), (Place(str(table), 1, 1), []))
    if not any(header):
        raise ProblemError(Problem("the table is empty", place, hint="Its first row must name the columns."))
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise ProblemError(Problem(f"two columns are called '{twice[0]}'", place))
    return header


def _rows(table: Path, spec: Csv) -> Iterator[tuple[Place, dict[str, str]]]:
    """Yield each row with its place; empty lines are left out."""
    header = header_of(table, spec.delimiter)
    _check_columns(table, header, spec)
    for number, (place, cells) in enumerate(_cells(table, spec.delimiter)):
        if number == 0 or not cells:
            continue
        if len(cells) != len(header):
            message = f"the row has {len(cells)} cells, but the first row names {len(header)} columns"
            raise ProblemError(Problem(message, place))
        yield place, dict(zip(header, cells, strict=True))


def _cells(table: Path, delimiter: str) -> Iterator[tuple[Place, list[str]]]:
    """Yield the stripped cells of each row, with the line that it begins in."""
    line = 1
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            for cells in reader:
                yield Place(str(table), line, 1), [cell.strip() for cell in cells]
                line = reader.line_num + 1
    except UnicodeDecodeError as error:
        raise ProblemError(Problem(f"{table} is not UTF-8 text ({error.reason} at byte {error.start})")) from None
    except csv.Error as error:
        raise ProblemError(Problem(f"the table is broken ({error})", Place(str(table), line, 1))) from None
    except OSError as error:
        raise ProblemError(Problem(f"{table} cannot be read ({error.strerror})")) from None


def _check_columns(table: Path, header: Sequence[str], spec: Csv) -> None:
    wanted = [("image_column", spec.image_column), *(("label_column", name) for name in spec._columns())]
    wanted += [("split_column", spec.split_column)] if spec.split_column else []
    problems = []
    for key, name in wanted:
        if name not in header:
            meant = nearest(name, list(header))
            hint = f"Did you mean '{meant}'?" if meant else f"The columns are {', '.join(header)}."
            problems.append(Problem(f"there is no column '{name}' in {table}", path=f"data.source.{key}", hint=hint))
    if problems:
        raise ProblemError(problems)


def _split(text: str) -> SplitName:
    split = SPLIT_FOLDERS.get(text.lower())
    if split is None:
        raise ValueError(f"the split must be one of {', '.join(SPLITS)} (received '{text}')")
    return split


def _number(text: str, column: str) -> float:
    import math

    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"the column '{column}' must hold a number (received '{text}')")
    return number


def _unknown(examples: dict[str, Example], labels: dict[str, Label], names: Sequence[str] | None) -> list[Problem]:
    """Return a problem for each row with a class that no training row has."""
    problems = []
    for name, label in labels.items():
        several = (label,) if isinstance(label, str) else label if isinstance(label, tuple) else ()
        for one in several:
            if names is not None and one not in names:
                meant = nearest(one, list(names))
                hint = f"Did you mean '{meant}'?" if meant else f"The classes are {', '.join(names[:10])}."
                problems.append(Problem(f"no training row has the class '{one}'", examples[name].place, hint=hint))
    return problems


def _line(example: Example) -> int:
    return example.place.line if example.place else 0


def _read(file: Path, label: Label) -> dict[str, Any]:
    return {"images": content_of(file), "labels": label}
