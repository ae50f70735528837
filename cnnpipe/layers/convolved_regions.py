"""A convolution of each of many small maps, as a model of Keras's layers."""

from __future__ import annotations

import keras


def convolved_regions(
    shape: tuple[int, int, int, int], filters: int, kernel_size: int, enlarged: bool, name: str | None = None
) -> keras.Model:
    """Return a model that convolves regions, all with the same kernel: they become the batch of one convolution.

    Input shape: (batch, regions, rows, columns, channels).
    Output shape: (batch, regions, rows, columns, filters); rows and columns are twice as many if enlarged.

    Args:
        shape: Regions, rows, columns and channels.
        filters: Channels of the output.
        kernel_size: Rows and columns of the window; not read if enlarged.
        enlarged: Whether it is a transposed convolution of 2x2 with strides 2 (He et al. 2017, figure 4).
        name: Name of the model.
    """
    regions, rows, columns, channels = shape
    given = keras.Input(shape)
    every = keras.ops.reshape(given, (-1, rows, columns, channels))
    if enlarged:
        every = keras.layers.Conv2DTranspose(filters, 2, strides=2)(every)
    else:
        every = keras.layers.Conv2D(filters, kernel_size, padding="same")(every)
    return keras.Model(given, keras.ops.reshape(every, (-1, regions, *every.shape[1:])), name=name)
