"""Random rectangles in images."""

from __future__ import annotations

from typing import Any


def rectangles(images: Any, width_ratio: Any, height_ratio: Any, seed: Any) -> tuple[Any, Any, Any, Any]:
    """Return left, right, top and bottom of a rectangle in each image, in pixels, each (batch,).

    Args:
        images: (batch, height, width, channels).
        width_ratio: Of the image's width, (batch,), in [0, 1].
        height_ratio: Of its height.
        seed: A generator; the rectangle lies anywhere inside.
    """
    import keras

    def along(length: int, ratio: Any) -> tuple[Any, Any]:
        start = keras.random.uniform((keras.ops.shape(images)[0],), seed=seed) * (length - ratio * length)
        return start, start + ratio * length

    return *along(images.shape[2], width_ratio), *along(images.shape[1], height_ratio)


def inside(images: Any, sides: tuple[Any, Any, Any, Any]) -> Any:
    """Return which pixels, by their upper left corner, lie in the rectangle, (batch, height, width, 1)."""
    import keras

    left, right, top, bottom = (side[:, None, None, None] for side in sides)
    rows = keras.ops.arange(images.shape[1], dtype="float32")[None, :, None, None]
    columns = keras.ops.arange(images.shape[2], dtype="float32")[None, None, :, None]
    return (columns >= left) & (columns < right) & (rows >= top) & (rows < bottom)
