"""Pictures of a bright disc; the label is its radius."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from cnnpipe.datasets import Dataset, Example, Examples

SIDE = 16


class Discs(Dataset):
    """16x16 grayscale pictures, each with a disc of a radius from 1 to 7 pixels."""

    type: Literal["discs"] = "discs"
    examples: int = Field(default=240, ge=1)
    """How many pictures."""

    def open(self, folder: Path) -> Examples:
        """List the pictures."""
        return Examples([Example(f"{number:04d}", None, partial(draw, number)) for number in range(self.examples)])


def draw(number: int) -> dict[str, Any]:
    """Return picture and radius, from the number alone."""
    import numpy as np

    random = np.random.default_rng(number)
    radius = random.uniform(1, 7)
    row, column = random.uniform(radius, SIDE - radius, 2)
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    inside = (y - row) ** 2 + (x - column) ** 2 <= radius**2
    image = np.where(inside, 220, 20) + random.normal(0, 5, (SIDE, SIDE))
    return {"images": np.clip(image, 0, 255).astype(np.uint8), "labels": radius}
