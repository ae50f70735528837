"""The candidates of a search as tables: all of them, those than which none is better, and what mattered."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from cnnpipe.recipe.space import Space
from cnnpipe.report.tables import Cell, short_number, table
from cnnpipe.tuning.importance import Importance
from cnnpipe.tuning.records import LATENCY, SCORE, Objectives, Record

MOST_REASON = 60


def short_names(records: Sequence[Record]) -> dict[str, str]:
    """Return the end of each path that tells it from the others: `filters`, or `stem.filters`."""
    paths = list(dict.fromkeys(path for record in records for path in record.labels))
    return {path: _short(path, paths) for path in paths}


def _short(path: str, paths: Sequence[str]) -> str:
    parts = path.split(".")
    for size in range(1, len(parts) + 1):
        end = ".".join(parts[-size:])
        if sum(other == end or other.endswith(f".{end}") for other in paths) == 1:
            return end
    return path


def trials_table(records: Sequence[Record], objectives: Objectives) -> str:
    """Return one row for each candidate."""
    names = short_names(records)
    header = ["trial", *names.values(), *(objectives.title(name) for name in objectives.names), "epochs", "seconds", ""]
    rows = [_row(record, list(names), objectives) for record in records]
    return table(header, rows, left=[*names.values(), ""])


def _row(record: Record, paths: Sequence[str], objectives: Objectives) -> list[Cell]:
    values = [record.labels.get(path, "-") for path in paths]
    measured = [_objective(record, name) for name in objectives.names]
    seconds = None if record.seconds is None else f"{record.seconds:.1f}"
    state = "" if record.state == "completed" else record.state
    reason = record.reason if len(record.reason) <= MOST_REASON else record.reason[: MOST_REASON - 3] + "..."
    return [record.number or "-", *values, *measured, record.epochs, seconds, f"{state} {reason}".strip()]


def _objective(record: Record, name: str) -> Cell:
    value = record.objectives.get(name)
    if value is None:
        return None
    formats = {SCORE: f"{value:.4f}", LATENCY: f"{value:.3g}"}
    return formats[name] if name in formats else short_number(int(value))


def importance_table(importances: Sequence[Importance]) -> str:
    """Return one row for each parameter."""
    rows = [(one.name, "-" if one.share is None else f"{one.share:.2f}", one.n, one.best) for one in importances]
    header = ("parameter", "share of the ranks' variance", "trials", "best values")
    return table(header, rows, left=("parameter", "best values"))


def csv_text(records: Sequence[Record], space: Space, objectives: Objectives) -> str:
    """Return all candidates as a table for other programs."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    names = [parameter.name for parameter in space.parameters]
    rows.writerow(["trial", "state", *names, *objectives.names, "epochs", "seconds", "reason"])
    for record in records:
        values = [record.labels.get(name, "") for name in names]
        measured = [record.objectives.get(name, "") for name in objectives.names]
        rows.writerow([record.number, record.state, *values, *measured, record.epochs, record.seconds, record.reason])
    return text.getvalue()
