"""Draws what a task has to show as PNG files."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

INCHES = 6
DOTS_PER_INCH = 120


def drawn(figures: Mapping[str, Callable[[Any], None]]) -> dict[str, bytes]:
    """Return PNG files by name.

    Args:
        figures: By file name, functions that draw on a matplotlib axes, as `Task.figures` gives them.
    """
    from matplotlib.figure import Figure  # not pyplot: no window system, no state

    files = {}
    for name, draw in figures.items():
        figure = Figure(figsize=(INCHES, INCHES), dpi=DOTS_PER_INCH, layout="constrained")
        draw(figure.add_subplot())
        stream = io.BytesIO()
        figure.savefig(stream, format="png", metadata={"Software": None})
        files[name] = stream.getvalue()
    return files
