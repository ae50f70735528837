"""Values rounded to the 256 steps of a range, with the gradient of no rounding (Jacob et al. 2018, section 3)."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

LEAST_RANGE = 1e-3
"""Width of the range of a tensor that is always zero: LiteRT cannot run with a scale of nothing."""


class FakeQuantization(keras.layers.Layer):  # type: ignore[misc]
    """Rounds activations to the steps of a range that holds zero; outside of it they are cut off.

    While training, the range follows the smallest and largest value of the batches as a moving average, unless it is
    fixed. Called on several tensors that shall share one range, it keeps the bounds of each and uses their union.

    Input shape: any.
    Output shape: that of the input.

    Args:
        tensors: How many tensors share the range.
        minimum: Lower end of a fixed range, at most 0; with `maximum`.
        maximum: Upper end of a fixed range, at least 0.
        momentum: Share of the old bounds that each training step keeps, in [0, 1].
        kwargs: What every layer takes, such as `name`.
    """

    def __init__(
        self,
        tensors: int = 1,
        minimum: float | None = None,
        maximum: float | None = None,
        momentum: float = 0.99,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.tensors, self.momentum = tensors, momentum
        self.fixed = None if minimum is None or maximum is None else (minimum, maximum)

    def build(self, input_shape: Any) -> None:
        """Create the bounds of each tensor; they are no trained weights."""
        if self.fixed is None:
            self.minimum = self._bounds("minimum", -6.0)
            self.maximum = self._bounds("maximum", 6.0)

    def _bounds(self, name: str, start: float) -> Any:
        return self.add_weight(name=name, shape=(self.tensors,), initializer=_constant(start), trainable=False)

    def call(self, inputs: Any, tensor: int = 0, training: bool | None = None) -> Any:
        """Return the rounded values.

        Args:
            inputs: The values.
            tensor: Which of the tensors that share the range they are.
            training: Whether the range follows them.
        """
        if self.fixed is not None:
            return tf.quantization.fake_quant_with_min_max_vars(inputs, *self.fixed, num_bits=8)
        if training:
            self._follow(self.minimum, tensor, tf.reduce_min(inputs))
            self._follow(self.maximum, tensor, tf.reduce_max(inputs))
        low = tf.minimum(tf.reduce_min(self.minimum), 0.0)
        high = tf.maximum(tf.reduce_max(self.maximum), low + LEAST_RANGE)
        return tf.quantization.fake_quant_with_min_max_vars(inputs, low, tf.maximum(high, 0.0), num_bits=8)

    def _follow(self, bounds: Any, tensor: int, seen: Any) -> None:
        here = tf.one_hot(tensor, self.tensors)
        step = (1 - self.momentum) * (tf.stop_gradient(tf.cast(seen, bounds.dtype)) - bounds)
        bounds.assign_add(here * step)

    def compute_output_shape(self, input_shape: Any, *arguments: Any, **keywords: Any) -> Any:
        """Return the input's shape."""
        return input_shape


def _constant(value: float) -> Any:
    return keras.initializers.Constant(value)
