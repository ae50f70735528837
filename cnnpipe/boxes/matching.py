"""Which boxes learn which objects: by their overlap (Girshick 2015; Ren et al. 2015, section 3.1.2), on tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

from cnnpipe.boxes.overlaps import EPSILON, share_inside

IN_A_CROWD = 0.5
"""From which share of a box inside of a crowd on it is not known whether it shows an object."""


@dataclass(frozen=True)
class Matched:
    """What each box of an image learns.

    Args:
        object_of: `(n,)` int32, the row of its object; of no meaning where it has none.
        positive: `(n,)` bool, whether it has an object.
        negative: `(n,)` bool, whether it shows none. Boxes that are neither learn nothing.
    """

    object_of: Any
    positive: Any
    negative: Any


def match(
    boxes: Any, true_boxes: Any, real: Any, crowd: Any, high: float, low: float, best_of_each: bool = False
) -> Matched:
    """Return for each box of one image the object that it overlaps most. No gradient goes through it.

    Args:
        boxes: `(n, 4)` as `xyxy`.
        true_boxes: `(m, 4)` as `xyxy`.
        real: `(m,)` bool, whether a row is an object and no crowd.
        crowd: `(m,)` bool, whether a row stands for a crowd: boxes mostly inside of it are not negative.
        high: From which overlap on a box has the object.
        low: Below which overlap with every object it shows none.
        best_of_each: Whether the boxes that overlap an object most have it too, however little that is.
    """
    ops = keras.ops
    boxes, real = ops.stop_gradient(boxes), ops.expand_dims(real, 1)
    inside = share_inside(ops.expand_dims(boxes, 0), ops.expand_dims(true_boxes, 1), ops)  # (m, n)
    area, true_area = _area(boxes), ops.expand_dims(_area(true_boxes), 1)
    common = inside * area
    found = ops.where(real, common / (area + true_area - common + EPSILON), 0.0)
    most, object_of = ops.max(found, axis=0), ops.argmax(found, axis=0)
    positive = most >= high
    if best_of_each:
        best = (found > 0) & (found >= ops.max(found, axis=1, keepdims=True))
        taken = ops.argmax(ops.where(best, found, -1.0), axis=0)
        mine = ops.any(best, axis=0) & ~positive
        object_of, positive = ops.where(mine, taken, object_of), positive | mine
    unknown = ops.any((inside > IN_A_CROWD) & ops.expand_dims(crowd, 1), axis=0)
    return Matched(ops.cast(object_of, "int32"), positive, (most < low) & ~positive & ~unknown)


def sampling_weights(matched: Matched, count: int, positive_share: float) -> tuple[Any, Any]:
    """Return how likely each box is in a random sample: weights of positive and of negative ones, `(n,)` each.

    A sample has `count` boxes, at most `positive_share` of them positive, and as many negative ones as there is room
    for (Ren et al. 2015, section 3.1.3). To weigh all boxes so is the mean of the losses of all samples: the same
    gradient without the noise, and without random numbers.
    """
    ops = keras.ops
    positive, negative = ops.cast(matched.positive, "float32"), ops.cast(matched.negative, "float32")
    there, others = ops.sum(positive), ops.sum(negative)
    taken = ops.minimum(there, count * positive_share)
    rest = ops.minimum(others, count - taken)
    return positive * taken / ops.maximum(there, 1.0), negative * rest / ops.maximum(others, 1.0)


def _area(boxes: Any) -> Any:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
