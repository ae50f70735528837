"""Pictures of what class maps get wrong, drawn on matplotlib axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

INK, MUTED = "#2a6f97", "#6b7280"


def per_class(axes: Any, iou: Mapping[str, float | None]) -> None:
    """Draw the IoU of each class as a bar; a class without one has none."""
    names = list(iou)[::-1]
    values = [iou[name] for name in names]
    axes.barh(names, [value or 0 for value in values], color=INK)
    for position, value in enumerate(values):
        axes.text((value or 0) + 0.01, position, "none" if value is None else f"{value:.3f}", va="center", color=MUTED)
    axes.set_xlim(0, 1.12)
    axes.set_xlabel("intersection over union")
    axes.spines[["top", "right"]].set_visible(False)


def errors_by_distance(axes: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Draw the share of wrong pixels by their distance from the nearest true boundary."""
    starts = [1, *(row["up_to"] + 1 for row in rows[:-1])]
    names = [
        f"over {start - 1}"
        if row["up_to"] is None
        else str(start)
        if row["up_to"] == start
        else f"{start}-{row['up_to']}"
        for start, row in zip(starts, rows, strict=True)
    ]
    values = [100 * (row["errors"] or 0) for row in rows]
    axes.bar(names, values, color=INK)
    for position, (row, value) in enumerate(zip(rows, values, strict=True)):
        text = "no pixels" if row["errors"] is None else f"{value:.1f}"
        axes.text(position, value, text, ha="center", va="bottom", color=MUTED)
    axes.set_xlabel("pixels from the nearest true boundary")
    axes.set_ylabel("wrong pixels (%)")
    axes.spines[["top", "right"]].set_visible(False)
