"""Boxes moved by what a network says of them, as a model of plain Keras operations."""

from __future__ import annotations

import keras


def refined_boxes(
    boxes: int, values: int, scales: tuple[float, ...], image: tuple[int, int], name: str | None = None
) -> keras.Model:
    """Return a model that moves and resizes boxes, and cuts off what lies outside of the image.

    The numbers are those of `boxes/anchors.py`, divided by `scales`, with the boxes as anchors (Girshick 2015, section
    2.3). No gradient goes through it.

    Input shape: boxes (batch, boxes, values), the first four as `xyxy` in pixels; numbers (batch, boxes, 4).
    Output shape: (batch, boxes, 4) as `xyxy` in pixels, float32.

    Args:
        boxes: How many boxes.
        values: How many numbers each has.
        scales: What the four numbers are multiplied by.
        image: Height and width.
        name: Name of the model.
    """
    ops = keras.ops
    given, numbers = keras.Input((boxes, values)), keras.Input((boxes, 4))
    corners, moves = ops.cast(given, "float32"), ops.cast(numbers, "float32")
    edges = []
    for axis, limit in enumerate(image):
        low, high = corners[..., 1 - axis], corners[..., 3 - axis]
        middle = (low + high) / 2.0 + moves[..., axis] * scales[axis] * (high - low)
        half = ops.exp(ops.clip(moves[..., axis + 2] * scales[axis + 2], -4.0, 4.0)) * (high - low) / 2.0
        edges.append((ops.clip(middle - half, 0.0, limit), ops.clip(middle + half, 0.0, limit)))
    (top, bottom), (left, right) = edges
    found = ops.stack([left, top, right, bottom], axis=-1)
    return keras.Model([given, numbers], ops.stop_gradient(found), name=name)
