"""Non-maximum suppression to a fixed number of boxes, as a model of plain Keras operations."""

from __future__ import annotations

import keras


def distinct_boxes(
    boxes: int, values: int, scores: int, count: int, iou_threshold: float, name: str | None = None
) -> keras.Model:
    """Return a model that gives the best boxes that do not repeat a better one.

    A box is kept when no better one that is kept overlaps it by more than the threshold. That is asked of all boxes at
    once, 16 times: the answer is final for every box once it is for all better ones, so it is wrong only where more
    than 16 boxes hang on one another in a chain. Where fewer are kept than asked for, the best of the others follow, so
    that every row is a box. No gradient goes through it.

    Input shape: (batch, boxes, values): box as `xyxy`, then scores, then anything that belongs to it.
    Output shape: (batch, count, values), those kept first, the best first; float32.

    Args:
        boxes: How many boxes are given.
        values: How many numbers each has.
        scores: How many of them, after the first four, are scores; the largest one counts.
        count: How many boxes are wanted.
        iou_threshold: The largest overlap (intersection over union) of two that are kept.
        name: Name of the model.
    """
    ops = keras.ops
    rows = keras.Input((boxes, values))

    def taken(table: keras.KerasTensor, order: keras.KerasTensor) -> keras.KerasTensor:
        first = (ops.cumsum(ops.ones_like(order[:, :1]), axis=0) - 1) * boxes  # where the rows of an example begin
        return ops.take(ops.reshape(table, (-1, values)), ops.subtract(order, -first), axis=0)

    def common(low: keras.KerasTensor, high: keras.KerasTensor) -> keras.KerasTensor:
        ends = ops.minimum(ops.expand_dims(high, 2), ops.expand_dims(high, 1))
        return ops.relu(ops.subtract(ends, ops.maximum(ops.expand_dims(low, 2), ops.expand_dims(low, 1))))

    given = ops.cast(rows, "float32")
    _, order = ops.top_k(ops.max(given[..., 4 : 4 + scores], axis=-1), boxes)
    given = taken(given, order)
    left, top, right, bottom = (given[..., edge] for edge in range(4))
    shared = common(left, right) * common(top, bottom)
    area = (right - left) * (bottom - top) * iou_threshold
    # differences where sums are meant: Keras takes a sum with one row per box for a bias, which has no LiteRT form here
    limit = ops.subtract(ops.expand_dims(area, 2), -ops.expand_dims(area, 1))
    place = ops.cast(ops.cumsum(ops.ones_like(order), axis=1), "float32")
    earlier = ops.expand_dims(place, 1) < ops.expand_dims(place, 2)
    better = ops.cast(ops.logical_and(shared * (1.0 + iou_threshold) > limit, earlier), "float32")
    kept = ops.ones_like(ops.expand_dims(place, 2))
    for _ in range(16):
        kept = ops.cast(ops.matmul(better, kept) < 0.5, "float32")
    _, best = ops.top_k(kept[..., 0] * boxes - place, count)
    return keras.Model(rows, ops.stop_gradient(taken(given, best)), name=name)
