"""The position of the largest value of each vector."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


class ArgMax(keras.layers.Layer):  # type: ignore[misc]
    """Returns where the largest value stands along the last axis, int32; of equal values the first.

    `keras.ops.argmax` also tells negative from positive zero, by operators that LiteRT has not.

    Input shape: `(batch, ..., channels)`.
    Output shape: `(batch, ..., 1)`.
    """

    def call(self, inputs: Any) -> Any:
        """Return the positions."""
        return tf.expand_dims(tf.argmax(inputs, axis=-1, output_type=tf.int32), -1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape with one channel."""
        return (*input_shape[:-1], 1)
