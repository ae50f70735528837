"""Where a picture lies in a network's input, so that boxes and masks go there with it, and come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Placement:
    """A part of a picture, stretched over a part of the input.

    Args:
        size: Height and width of the upright picture.
        part: What is seen of it: left, top, right, bottom, in its pixels; they may have fractions.
        input_size: Height and width of the input.
        inner: Left, top, right, bottom of where that part lies in the input, whole pixels.
    """

    size: tuple[int, int]
    part: tuple[float, float, float, float]
    input_size: tuple[int, int]
    inner: tuple[int, int, int, int]

    def move_boxes(self, boxes: np.ndarray) -> np.ndarray:
        """Return boxes of the picture, `(n, 4)` as `xyxy` in pixels, in the input's pixels; not cut off."""
        return _boxes(boxes, self.part, self.inner)

    def restore_boxes(self, boxes: np.ndarray) -> np.ndarray:
        """Return boxes of the input in the picture's pixels: the inverse of `move_boxes`."""
        return _boxes(boxes, self.inner, self.part)

    def move_mask(self, mask: np.ndarray, fill_value: int) -> np.ndarray:
        """Return a mask of the picture, `(height, width)`, in the input: the nearest pixel; outside the fill value."""
        return _mask(mask, self.part, self.inner, self.input_size, fill_value)

    def restore_mask(self, mask: np.ndarray, fill_value: int) -> np.ndarray:
        """Return a mask of the input as one of the picture; where nothing was seen, the fill value."""
        return _mask(mask, self.inner, self.part, self.size, fill_value)


def _boxes(boxes: np.ndarray, source: tuple[float, ...], goal: tuple[float, ...]) -> np.ndarray:
    import numpy as np

    start, end, to_start, to_end = (np.tile(corner, 2) for corner in (source[:2], source[2:], goal[:2], goal[2:]))
    moved = (np.asarray(boxes, np.float64).reshape(-1, 4) - start) * ((to_end - to_start) / (end - start)) + to_start
    found: np.ndarray = moved.astype(np.float32)
    return found


def _mask(
    mask: np.ndarray, source: tuple[float, ...], goal: tuple[float, ...], size: tuple[int, int], fill_value: int
) -> np.ndarray:
    import numpy as np

    rows, columns = (_nearest(source[axis::2], goal[axis::2], size[1 - axis], mask.shape[1 - axis]) for axis in (1, 0))
    found: np.ndarray = mask[np.maximum(rows, 0)[:, None], np.maximum(columns, 0)[None, :]]
    found[(rows < 0)[:, None] | (columns < 0)[None, :]] = fill_value
    return found


def _nearest(source: tuple[float, ...], goal: tuple[float, ...], length: int, available: int) -> np.ndarray:
    """Return for each of `length` pixels the one of the source that lies under its middle, -1 outside of the goal."""
    import numpy as np

    middles = np.arange(length) + 0.5
    positions = source[0] + (middles - goal[0]) * ((source[1] - source[0]) / (goal[1] - goal[0]))
    inside = (middles > goal[0]) & (middles < goal[1])
    return np.where(inside, np.clip(np.floor(positions).astype(int), 0, available - 1), -1)
