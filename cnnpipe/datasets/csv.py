"""A table of pictures: one row each, with its file, its labels and perhaps its split."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from cnnpipe.datasets import Dataset, Example, Examples, SplitName
from cnnpipe.datasets._tables import number_in, rows_of, split_named, unused_columns
from cnnpipe.datasets.image_folder import content_of, existing
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.spec import RecipePath, nearest

Label = str | tuple[str, ...] | float


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
        for place, row in rows_of(table, self.delimiter, self._stated_columns()):
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
        used = (self.image_column, self.split_column, *self._columns())
        return Examples(tuple(examples.values()), names, unused_columns(table, self.delimiter, used))

    def _stated_columns(self) -> list[tuple[str, str]]:
        stated = [("image_column", self.image_column), *(("label_column", name) for name in self._columns())]
        return [*stated, *([("split_column", self.split_column)] if self.split_column else [])]

    def _columns(self) -> tuple[str, ...]:
        return (self.label_column,) if isinstance(self.label_column, str) else self.label_column

    def _row(self, row: dict[str, str]) -> tuple[str, Label, SplitName | None]:
        """Return name, label and split of a row. Raises `ValueError` when one is not what it should be."""
        if not row[self.image_column]:
            raise ValueError(f"the column '{self.image_column}' is empty")
        split = split_named(row[self.split_column]) if self.split_column else None
        return row[self.image_column], self._label(row), split

    def _label(self, row: dict[str, str]) -> Label:
        if not isinstance(self.label_column, str):
            if wrong := [name for name in self.label_column if row[name] not in ("0", "1")]:
                raise ValueError(f"the column '{wrong[0]}' must hold 0 or 1 (received '{row[wrong[0]]}')")
            return tuple(name for name in self.label_column if row[name] == "1")
        text = row[self.label_column]
        if self.label_type == "number":
            return number_in(text, self.label_column)
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
