"""Keras's layers with weights, which compute with kernels rounded to 8 bits and learn those that are not rounded.

The rounding is symmetric and has 255 steps, as LiteRT's int8 weights do. With `per_channel` every output channel has a
scale of its own. Dense and transposed convolution have one scale: the converter cannot transpose a kernel with several.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf
from keras import ops

LEAST_LARGEST = 1e-6
"""Largest weight of a channel whose weights are all zero: its scale must not be."""
LEAST_OF_BIAS = 1e-4
"""The same as a share of the channel's bias: a bias is stored in 32 bits, in steps of the weights' scale times that of
the input, and would not fit where a channel has almost no weights and only a bias."""


def fake_quantized(kernel: Any, per_channel: bool, bias: Any = None) -> Any:
    """Return a kernel rounded to 8 bits.

    Args:
        kernel: The kernel, output channels last where each has a scale.
        per_channel: Whether every output channel has a scale of its own, or all have one.
        bias: The bias of each channel, if there is one.
    """
    kernel = ops.convert_to_tensor(kernel)
    axes = list(range(len(kernel.shape) - 1)) if per_channel else None
    least = 0.0 if bias is None else LEAST_OF_BIAS * tf.abs(ops.convert_to_tensor(bias))
    least = tf.maximum(least if per_channel else tf.reduce_max(least), LEAST_LARGEST)
    largest = tf.stop_gradient(tf.maximum(tf.reduce_max(tf.abs(kernel), axes), least))
    if per_channel:
        return tf.quantization.fake_quant_with_min_max_vars_per_channel(
            kernel, -largest, largest, num_bits=8, narrow_range=True
        )
    return tf.quantization.fake_quant_with_min_max_vars(kernel, -largest, largest, num_bits=8, narrow_range=True)


class FakeQuantizedConv2D(keras.layers.Conv2D):  # type: ignore[misc]
    """`keras.layers.Conv2D` with a kernel rounded to 8 bits.

    Args:
        per_channel: Whether every filter has a scale of its own.
        kwargs: What `keras.layers.Conv2D` takes, without `activation`.
    """

    def __init__(self, per_channel: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.per_channel = per_channel

    @property
    def kernel(self) -> Any:
        """The rounded kernel, with which the layer computes."""
        return fake_quantized(self._kernel, self.per_channel, self.bias)


class FakeQuantizedDense(keras.layers.Dense):  # type: ignore[misc]
    """`keras.layers.Dense` with a kernel rounded to 8 bits by one scale.

    Args:
        kwargs: What `keras.layers.Dense` takes, without `activation`.
    """

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Return the output for rounded weights."""
        outputs = ops.matmul(inputs, fake_quantized(self._kernel, False, self.bias))
        return outputs if self.bias is None else ops.add(outputs, self.bias)


class FakeQuantizedDepthwiseConv2D(keras.layers.DepthwiseConv2D):  # type: ignore[misc]
    """`keras.layers.DepthwiseConv2D` with a kernel rounded to 8 bits.

    Args:
        per_channel: Whether every channel has a scale of its own.
        kwargs: What `keras.layers.DepthwiseConv2D` takes, without `activation`.
    """

    def __init__(self, per_channel: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.per_channel = per_channel

    def call(self, inputs: Any) -> Any:
        """Return the output for rounded weights."""
        outputs = ops.depthwise_conv(
            inputs, self._rounded(), strides=self.strides, padding=self.padding,
            dilation_rate=self.dilation_rate, data_format=self.data_format,
        )  # fmt: skip
        return outputs if self.bias is None else ops.add(outputs, self.bias)

    def _rounded(self) -> Any:
        kernel = ops.convert_to_tensor(self.kernel)
        if not self.per_channel:
            return fake_quantized(kernel, False, self.bias)
        if self.depth_multiplier == 1:  # the channels last, by a transposition: the converter undoes no other reshape
            rows = fake_quantized(ops.transpose(kernel, (0, 1, 3, 2)), True, self.bias)
            return ops.transpose(rows, (0, 1, 3, 2))
        height, width, *channels = kernel.shape
        rows = ops.reshape(kernel, (height, width, 1, math.prod(channels)))
        return ops.reshape(fake_quantized(rows, True, self.bias), kernel.shape)


class FakeQuantizedConv2DTranspose(keras.layers.Conv2DTranspose):  # type: ignore[misc]
    """`keras.layers.Conv2DTranspose` with a kernel rounded to 8 bits by one scale.

    Args:
        kwargs: What `keras.layers.Conv2DTranspose` takes, without `activation`.
    """

    def call(self, inputs: Any) -> Any:
        """Return the output for rounded weights."""
        outputs = ops.conv_transpose(
            inputs, fake_quantized(self.kernel, False, self.bias), strides=list(self.strides), padding=self.padding,
            data_format=self.data_format,
        )  # fmt: skip
        return outputs if self.bias is None else ops.add(outputs, self.bias)
