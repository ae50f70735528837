"""Text tables in UTF-8 whose first row names the columns: what the sources of tables share."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from cnnpipe.datasets import SPLITS, SplitName
from cnnpipe.datasets.image_folder import SPLIT_FOLDERS
from cnnpipe.errors import Place, Problem, ProblemError
from cnnpipe.spec import nearest

LISTED = 5
"""How many columns a note names before it only counts."""


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


def rows_of(table: Path, delimiter: str, columns: Sequence[tuple[str, str]]) -> Iterator[tuple[Place, dict[str, str]]]:
    """Yield each row with its place; empty lines are left out.

    Args:
        table: The file.
        delimiter: What stands between its columns.
        columns: Keys of the recipe's source, each with the name of a column that must be there.

    Raises:
        ProblemError: A column is not there, or a row has more or fewer cells than there are columns.
    """
    header = header_of(table, delimiter)
    _check_columns(table, header, columns)
    for number, (place, cells) in enumerate(_cells(table, delimiter)):
        if number == 0 or not cells:
            continue
        if len(cells) != len(header):
            message = f"the row has {len(cells)} cells, but the first row names {len(header)} columns"
            raise ProblemError(Problem(message, place))
        yield place, dict(zip(header, cells, strict=True))


def unused_columns(table: Path, delimiter: str, used: Sequence[str | None]) -> tuple[str, ...]:
    """Return a note when the table has columns that the recipe does not name, such as one of splits."""
    rest = [name for name in header_of(table, delimiter) if name and name not in used]
    shown = ", ".join(rest[:LISTED]) + (f" and {len(rest) - LISTED} more" if len(rest) > LISTED else "")
    return (f"Columns of {table.name} that are not used: {shown}.",) if rest else ()


def split_named(text: str) -> SplitName:
    """Return the split that a cell names. Raises `ValueError` when it names none."""
    split = SPLIT_FOLDERS.get(text.lower())
    if split is None:
        raise ValueError(f"the split must be one of {', '.join(SPLITS)} (received '{text}')")
    return split


def number_in(text: str, column: str) -> float:
    """Return the number in a cell. Raises `ValueError` when there is none, or one without an end."""
    import math

    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"the column '{column}' must hold a number (received '{text}')")
    return number


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


def _check_columns(table: Path, header: Sequence[str], columns: Sequence[tuple[str, str]]) -> None:
    problems = []
    for key, name in columns:
        if name not in header:
            meant = nearest(name, list(header))
            hint = f"Did you mean '{meant}'?" if meant else f"The columns are {', '.join(header)}."
            problems.append(Problem(f"there is no column '{name}' in {table}", path=f"data.source.{key}", hint=hint))
    if problems:
        raise ProblemError(problems)
