"""Anchors in the middle of each cell of each feature map, and boxes as numbers relative to them.

The numbers of a box are `(y, x, height, width)`: how far the middle is from that of the anchor, in sides of the anchor,
and the logarithms of the sides, in sides of the anchor. That is what MediaPipe's `TensorsDecodingOptions` undo with all
scales 1, `apply_exponential_on_box_size` and the anchors as fractions of the picture, so its decoding is this one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

VALUES = 4
"""Numbers of a box."""


def anchors(levels: Mapping[str, tuple[int, int]], scale: float, aspect_ratios: Sequence[float] = (1.0,)) -> np.ndarray:
    """Return all anchors: the levels in their order, in each the cells row by row, in each cell the ratios in order.

    Args:
        levels: Height and width of each feature map by its level: `P3` has stride 2**3.
        scale: Square root of an anchor's area, in strides of its level.
        aspect_ratios: Height divided by width, for the anchors of each cell.

    Returns:
        `(n, 4)` float32 as `center_xywh`, in pixels of the network's input.
    """
    parts, roots = [np.zeros((0, 4), np.float32)], np.sqrt(np.asarray(aspect_ratios, float))
    for name, (rows, columns) in levels.items():
        stride = 2.0 ** int(name[1:])
        y, x, root = np.meshgrid(np.arange(rows) + 0.5, np.arange(columns) + 0.5, roots, indexing="ij")
        sides = stride * scale / root, stride * scale * root
        parts.append(np.stack([x * stride, y * stride, *sides], axis=-1).reshape(-1, 4).astype(np.float32))
    return np.concatenate(parts)


def decode(numbers: Any, anchors: Any, ops: Any = np) -> Any:
    """Return boxes as `xyxy` in pixels.

    Args:
        numbers: `(..., n, 4)`, what stands for each box, as the module says.
        anchors: `(n, 4)` as `center_xywh`.
        ops: `numpy`, or `keras.ops`.
    """
    sides = anchors[..., 2:]
    middle = anchors[..., :2] + ops.flip(numbers[..., :2], -1) * sides
    half = ops.exp(ops.flip(numbers[..., 2:], -1)) * sides / 2.0
    return ops.concatenate([middle - half, middle + half], -1)


def encode(boxes: Any, anchors: Any, ops: Any = np) -> Any:
    """Return the numbers that stand for boxes, `(..., n, 4)` as `xyxy` and of a size above 0; `decode` undoes it."""
    sides = anchors[..., 2:]
    middle = ((boxes[..., :2] + boxes[..., 2:]) / 2.0 - anchors[..., :2]) / sides
    size = ops.log((boxes[..., 2:] - boxes[..., :2]) / sides)
    return ops.concatenate([ops.flip(middle, -1), ops.flip(size, -1)], -1)
