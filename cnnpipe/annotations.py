"""What is drawn over a picture: boxes, classes of pixels, instances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Box:
    """A box with its caption.

    Args:
        corners: Left, top, right, bottom in pixels of the picture.
        label: Number that chooses the colour, such as the position of its class.
        caption: What stands at it; empty for nothing.
    """

    corners: tuple[float, float, float, float]
    label: int
    caption: str = ""


@dataclass(frozen=True)
class Annotations:
    """What is drawn over one picture.

    Args:
        boxes: Boxes in the order in which they are drawn.
        class_mask: `(height, width)` of the picture: 0 where nothing is drawn, else the number of a class from 1.
        instance_mask: The same with the number of an instance from 1, each in a colour of its own.
        legend: Class names for the numbers of `class_mask`, from 1.
    """

    boxes: Sequence[Box] = ()
    class_mask: np.ndarray | None = None
    instance_mask: np.ndarray | None = None
    legend: Sequence[str] = ()
