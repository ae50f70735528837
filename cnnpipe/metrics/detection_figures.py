"""Pictures of how good a detector is, drawn on matplotlib axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MANY_CURVES = 20
"""Up to how many classes curves have a legend."""


def precision_recall(axes: Any, recalls: Sequence[float], curves: Mapping[str, Sequence[float] | None]) -> None:
    """Draw the precision at each recall of every class that was seen."""
    for name, curve in curves.items():
        if curve is not None:
            axes.plot(recalls, curve, label=f"{name} {sum(curve) / len(curve):.3f}")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.03), title="Precision and recall at IoU 0.5")
    if axes.lines and len(axes.lines) <= MANY_CURVES:
        axes.legend(title="average precision")
