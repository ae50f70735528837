"""Pictures of how good a classifier is, drawn on matplotlib axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

NAMED_CLASSES = 20
"""Up to how many classes a confusion matrix has names and counts."""


def confusion(axes: Any, matrix: Sequence[Sequence[int]], names: Sequence[str]) -> None:
    """Draw shares of each true class as shades, with counts where there is room for them."""
    shares = [[count / max(sum(row), 1) for count in row] for row in matrix]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set(xlabel="predicted", ylabel="true", title="Confusion matrix")
    if len(names) <= NAMED_CLASSES:
        axes.set_xticks(range(len(names)), names, rotation=90 if max(map(len, names)) > 2 else 0)
        axes.set_yticks(range(len(names)), names)
        for row, counts in enumerate(matrix):
            for column, count in enumerate(counts):
                if count:
                    colour = "white" if shares[row][column] > 0.5 else "black"
                    axes.text(column, row, count, ha="center", va="center", color=colour, fontsize="small")


def reliability(axes: Any, diagram: Sequence[Mapping[str, Any]]) -> None:
    """Draw how often decisions of each confidence were right, against the line of perfect calibration."""
    lows, widths = [b["low"] for b in diagram], [b["high"] - b["low"] for b in diagram]
    axes.bar(lows, [b["correct"] for b in diagram], widths, align="edge", edgecolor="white")
    axes.plot([0, 1], [0, 1], "--", color="black", linewidth=1)
    for b in diagram:
        axes.annotate(b["n"], ((b["low"] + b["high"]) / 2, b["correct"]), ha="center", va="bottom", fontsize="x-small")
    axes.set(xlabel="confidence", ylabel="share that is right", xlim=(0, 1), ylim=(0, 1.08), title="Reliability")
