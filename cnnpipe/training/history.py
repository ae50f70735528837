"""history.csv: one row per epoch, on the disk before the checkpoint of that epoch is."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cnnpipe import files
from cnnpipe.runs import Run

NAME = "history.csv"
PHASE = "phase"
Row = Mapping[str, float | str]
"""`phase` is text, and is there only where a recipe has phases."""


def append_row(run: Run, row: Row) -> None:
    """Add the row of an epoch. Raises `ProblemError` when it cannot be written."""
    path = run.folder / NAME
    try:
        with path.open("a", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(row))
            if stream.tell() == 0:
                writer.writeheader()
            writer.writerow(row)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise files.writing_failed(path, error) from error


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a history, the last of each epoch; a row that a kill cut short is left out."""
    if not path.exists():
        return []
    rows: dict[int, dict[str, Any]] = {}
    with path.open(encoding="utf-8", newline="") as stream:
        for text in csv.DictReader(stream):
            try:
                row = {name: value if name == PHASE else float(value) for name, value in text.items()}
            except (TypeError, ValueError):
                continue
            rows[int(row["epoch"])] = row
    return [{**row, "epoch": epoch, "step": int(row["step"])} for epoch, row in rows.items()]


def keep_until(run: Run, epochs: int) -> list[dict[str, Any]]:
    """Drop the rows of later epochs, which will be trained again, and return the others."""
    rows = [row for row in read_rows(run.folder / NAME) if row["epoch"] <= epochs]
    if (run.folder / NAME).exists():
        run.write_text(NAME, _text(rows))
    return rows


def _text(rows: Sequence[Row]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]) if rows else [])
    if rows:
        writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()
