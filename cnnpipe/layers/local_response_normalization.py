"""Local response normalization as a model of plain Keras operations, as Keras has no layer for it.

A model inside a model is saved as what it is made of, so that a file with it opens where cnnpipe is not installed.
"""

from __future__ import annotations

import keras


def local_response_normalization(
    shape: tuple[int, int, int], depth_radius: int, bias: float, alpha: float, beta: float, name: str | None = None
) -> keras.Model:
    """Return a model that divides each value by (bias + alpha * sum of squares of near channels) ** beta.

    Near are the channels at most `depth_radius` away, at the same position. The power is made of reciprocal square
    roots, which have a form in int8 as `POW` has not, and which are taken in an order that keeps them near 1.

    Input shape: (batch, height, width, channels).
    Output shape: that of the input, in float32.

    Args:
        shape: Height, width and channels.
        depth_radius: How many channels are near on each side.
        bias: Added to the sum.
        alpha: Factor on the sum.
        beta: The power: 0.5 or 0.75.
        name: Name of the model.
    """
    height, width, channels = shape
    window = 2 * depth_radius + 1
    image = keras.Input(shape)
    x = keras.ops.cast(image, "float32")  # squares are too large for half of it
    squares = keras.ops.reshape(keras.ops.multiply(x, x), (-1, height * width, channels, 1))
    padded = keras.ops.pad(squares, ((0, 0), (0, 0), (depth_radius, depth_radius), (0, 0)))
    means = keras.ops.average_pool(padded, (1, window), 1)
    sums = keras.ops.add(keras.ops.multiply(means, alpha * window), bias)
    root = keras.ops.rsqrt(keras.ops.reshape(sums, (-1, height, width, channels)))
    if beta == 0.75:
        root = keras.ops.multiply(keras.ops.multiply(keras.ops.rsqrt(root), root), root)
    return keras.Model(image, keras.ops.multiply(x, root), name=name)
