"""How much two boxes overlap: intersection over union (IoU), and its relatives that know near from far."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

Kind = Literal["iou", "giou", "diou", "ciou"]
EPSILON = 1e-7
"""Added to what is divided by."""


def overlap(first: Any, second: Any, kind: Kind = "iou", ops: Any = np) -> Any:
    """Return the overlap of boxes with boxes, value by value.

    Args:
        first: `(..., 4)` as `xyxy`.
        second: The same; leading axes are broadcast, so `first[:, None]` and `second[None]` give every pair.
        kind: `iou`, 0 to 1; `giou` subtracts the share of the smallest box around both that neither covers (Rezatofighi
            et al. 2019, algorithm 1), down to -1; `diou` the squared distance of the middles, as a share of the squared
            diagonal of that box (Zheng et al. 2020, equation 7); `ciou` a penalty for another aspect ratio too
            (equations 8 to 11).
        ops: `numpy`, or `keras.ops`.

    Returns:
        The shape of the boxes without the last axis.
    """
    low, high = ops.maximum(first[..., :2], second[..., :2]), ops.minimum(first[..., 2:], second[..., 2:])
    common = _area(ops.maximum(high - low, 0.0))
    sides, other_sides = first[..., 2:] - first[..., :2], second[..., 2:] - second[..., :2]
    union = _area(sides) + _area(other_sides) - common
    iou = common / (union + EPSILON)
    if kind == "iou":
        return iou
    around = ops.maximum(first[..., 2:], second[..., 2:]) - ops.minimum(first[..., :2], second[..., :2])
    if kind == "giou":
        hull = _area(around)
        return iou - (hull - union) / (hull + EPSILON)
    apart = (first[..., :2] + first[..., 2:] - second[..., :2] - second[..., 2:]) / 2.0
    distance = _squared(apart) / (_squared(around) + EPSILON)
    if kind == "diou":
        return iou - distance
    angle, other_angle = _angle(sides, ops), _angle(other_sides, ops)
    shape = (4.0 / math.pi**2) * (angle - other_angle) ** 2
    weight = shape / (1.0 - iou + shape + EPSILON)
    if ops is not np:  # the weight itself is not learned (section 3.3)
        import keras

        weight = keras.ops.stop_gradient(weight)
    return iou - distance - weight * shape


def share_inside(first: Any, second: Any, ops: Any = np) -> Any:
    """Return how much of each `first` box lies inside of the `second`, 0 to 1; shapes as in `overlap`."""
    low, high = ops.maximum(first[..., :2], second[..., :2]), ops.minimum(first[..., 2:], second[..., 2:])
    return _area(ops.maximum(high - low, 0.0)) / (_area(first[..., 2:] - first[..., :2]) + EPSILON)


def _area(sides: Any) -> Any:
    return sides[..., 0] * sides[..., 1]


def _squared(sides: Any) -> Any:
    return sides[..., 0] ** 2 + sides[..., 1] ** 2


def _angle(sides: Any, ops: Any) -> Any:
    return ops.arctan(sides[..., 0] / (sides[..., 1] + EPSILON))
