"""The table of several recipes: one row each, sorted, with what is not predicted told once."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from cnnpipe.report.tables import Cell, byte_size, shape, short_number, table

Row = Mapping[str, Any]
LEAST_SOURCE = 20
"""In fewer columns a source is not worth wrapping."""


def _field(row: Row) -> str:
    return shape(row["receptive_field"]) if row["receptive_field"] else "all"


def _bytes(size: int | None) -> str | None:
    return None if size is None else byte_size(size)


COLUMNS: Mapping[str, tuple[Callable[[Row], Any], Callable[[Row], Cell]]] = {
    "recipe": (lambda row: row["recipe"], lambda row: row["recipe"]),
    "parameters": (lambda row: -row["totals"]["parameters"], lambda row: row["totals"]["parameters"]),
    "macs": (lambda row: -row["totals"]["macs"], lambda row: short_number(row["totals"]["macs"])),
    "sees": (lambda row: [-size for size in row["receptive_field"] or (10**9,)], _field),
    "memory": (
        lambda row: -row["totals"]["activation_bytes"],
        lambda row: byte_size(row["totals"]["activation_bytes"]),
    ),
    "flash": (lambda row: _falling(row["int8"]["file_bytes"]), lambda row: _bytes(row["int8"]["file_bytes"])),
    "arena": (lambda row: _falling(row["int8"]["arena_bytes"]), lambda row: _bytes(row["int8"]["arena_bytes"])),
    "year": (lambda row: row["about"]["year"], lambda row: row["about"]["year"] and str(row["about"]["year"])),
    "source": (lambda row: row["about"]["source"], lambda row: row["about"]["source"]),
}
"""By name: what rows are sorted by, which puts the largest sizes and the earliest years first, and what is shown."""
TITLES = {"macs": "MACs"}


def comparison(rows: Sequence[Row], width: int | None = None) -> str:
    """Return one row per recipe and sentences on what the table cannot hold.

    Args:
        rows: What `Compared.as_json` returns, with the `recipe`.
        width: Columns of the terminal; None for no limit.
    """
    columns = list(COLUMNS)
    text, notes = _table(rows, columns), [*_not_predicted(rows)]
    if width is not None and max(map(len, text.splitlines())) > width:
        text = _table(rows, columns[:-1])
        room = width - max(map(len, text.splitlines())) - 2
        if room >= LEAST_SOURCE:
            text = _table(rows, columns, room)
        elif any(row["about"]["source"] for row in rows):
            notes.append("A wider terminal, a pipe and --json show the source of each.")
    return "\n\n".join([text, *["\n".join(notes)] * bool(notes)])


def ordered(rows: Sequence[dict[str, Any]], sort: str | None) -> list[dict[str, Any]]:
    """Return rows sorted by a column, those that have nothing there last."""
    if sort is None:
        return list(rows)
    key = COLUMNS[sort][0]
    return sorted(rows, key=lambda row: ((value := key(row)) is None, value))


def _table(rows: Sequence[Row], columns: Sequence[str], room: int | None = None) -> str:
    cells: list[list[Cell]] = []
    for row in rows:
        first: list[Cell] = [COLUMNS[name][1](row) for name in columns]
        source = first[-1]
        wrapped: list[Cell] = [*textwrap.wrap(source, room)] if room and isinstance(source, str) else [source]
        cells.append([*first[:-1], wrapped[0]])
        cells += [[*[""] * (len(columns) - 1), line] for line in wrapped[1:]]
    return table([TITLES.get(name, name) for name in columns], cells, left=("recipe", "source"))


def _not_predicted(rows: Sequence[Row]) -> Iterator[str]:
    """Yield a sentence for each reason why nothing is predicted."""
    without = sorted((row["int8"]["reason"], row["recipe"]) for row in rows if row["int8"]["reason"])
    for reason, group in groupby(without, key=lambda pair: pair[0]):
        yield f"flash and arena are not predicted of {', '.join(name for _, name in group)}: {reason}"


def _falling(size: int | None) -> int | None:
    return None if size is None else -size
