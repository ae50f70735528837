"""From masks of instances to boxes, on tensors: the smallest boxes around what is seen of each instance."""

from __future__ import annotations

import math
from typing import Any

import keras

PADDING = -1
"""The label of a row that holds no object."""


def boxes_around(instance_masks: Any, rows: int) -> Any:
    """Return the smallest box around each instance; zeros for those of which no pixel is seen.

    Args:
        instance_masks: `(batch, height, width, 1)` integers: k where the instance of row k - 1 is seen, 0 for none.
        rows: How many rows there are.

    Returns:
        `(batch, rows, 4)` float32 as `xyxy`. Memory grows with the pixels and the rows, not with their product.
    """
    ops = keras.ops
    height, width = instance_masks.shape[1:3]
    batch, pixels = ops.shape(instance_masks)[0], height * width
    numbers = ops.reshape(ops.cast(instance_masks, "int32"), (-1, pixels))
    numbers = ops.where(numbers <= rows, numbers, 0) + ops.expand_dims(ops.arange(batch) * (rows + 1), 1)
    column, row = ops.arange(pixels) % width, ops.arange(pixels) // width
    corners = ops.stack([-column, -row, column + 1, row + 1], axis=1)  # of all four the largest is wanted
    corners = ops.tile(ops.expand_dims(corners, 0), (batch, 1, 1))
    flat = ops.reshape(numbers, (-1,)), ops.reshape(corners, (-1, 4))
    largest = ops.segment_max(flat[1], flat[0], num_segments=batch * (rows + 1))
    largest = ops.reshape(largest, (-1, rows + 1, 4))[:, 1:]
    boxes = ops.concatenate([-largest[..., :2], largest[..., 2:]], axis=-1)
    return ops.where(largest[..., 2:3] > 0, ops.cast(boxes, "float32"), 0.0)


def fitted(labels: Any, crowd: Any, instance_masks: Any) -> dict[str, Any]:
    """Return the objects of a batch as their masks show them: boxes that fit, rows without a pixel left out.

    Rows with an object come first, and there are as many as the image of the batch with the most objects has, at least
    one.

    Args:
        labels: `(batch, rows)`, -1 for rows without object.
        crowd: `(batch, rows)`.
        instance_masks: `(batch, height, width, 1)` int32, k where the object of row k - 1 is seen.

    Returns:
        `boxes`, `labels`, `crowd` and `instance_masks`, which counts the new rows.
    """
    ops = keras.ops
    rows, shape = labels.shape[1], ops.shape(instance_masks)
    boxes = boxes_around(instance_masks, rows)
    real = (labels != PADDING) & (boxes[..., 2] > boxes[..., 0])
    count = ops.maximum(ops.max(ops.sum(ops.cast(real, "int32"), axis=1)), 1)
    order = ops.argsort(ops.where(real, 0, rows) + ops.arange(rows), axis=1)
    numbers = ops.where(real, ops.cast(ops.argsort(order, axis=1), "int32") + 1, 0)
    numbers = ops.concatenate([ops.zeros_like(numbers[:, :1]), numbers], axis=1)
    flat = ops.reshape(ops.cast(instance_masks, "int32"), (-1, math.prod(instance_masks.shape[1:])))
    masks = ops.take_along_axis(numbers, ops.where(flat <= rows, flat, 0), axis=1)
    order = order[:, :count]
    there = ops.take_along_axis(real, order, axis=1)
    return {
        "boxes": ops.where(ops.expand_dims(there, -1), ops.take_along_axis(boxes, ops.expand_dims(order, -1), 1), 0.0),
        "labels": ops.where(there, ops.take_along_axis(labels, order, axis=1), PADDING),
        "crowd": ops.where(there, ops.take_along_axis(crowd, order, axis=1), 0),
        "instance_masks": ops.reshape(masks, shape),
    }
