"""Convolution: every output value is a weighted sum over a window of all channels of its group."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from cnnpipe.graph.arithmetic import Padding, Size, layer, per_axis, spatial, windows
from cnnpipe.graph.core import KerasLayer, NodeType, Shape, ShapeError, Window

Initializer = Literal["glorot_uniform", "he_normal", "he_normal_fan_out"]
"""Spread of the random numbers that a kernel starts with (Glorot and Bengio 2010; He et al. 2015, section 2.2).

`he_normal_fan_out` counts what a value goes into, where `he_normal` counts what a sum is made of.
"""


@dataclass(frozen=True)
class Convolution(NodeType):
    """`keras.layers.Conv1D`, `Conv2D` or `Conv3D`.

    Args:
        filters: Channels of the output.
        kernel_size: Size of the window.
        strides: Steps of the window.
        padding: `same`, `valid`, or `causal` (1D only: no output sees what comes after it).
        dilation_rate: Distance between the values of the window. Above 1 only with strides 1.
        groups: The input's channels and the filters are divided into so many groups that do not see each other.
        use_bias: Add a learned number per filter.
        initializer: What the kernel starts with.
        bias_start: What every number per filter starts with.
    """

    kind: ClassVar[str] = "convolution"
    filters: int
    kernel_size: Size = 3
    strides: Size = 1
    padding: Padding = "valid"
    dilation_rate: Size = 1
    groups: int = 1
    use_bias: bool = True
    initializer: Initializer = "glorot_uniform"
    bias_start: float = 0.0

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (windows per axis ..., filters)."""
        (shape,) = inputs
        size = spatial(shape, "convolves")
        window = self.window(shape)
        if self.padding == "causal" and len(size) != 1:
            raise ShapeError(f"padding causal is for signals in 1D, received {len(size)}D")
        if self.groups > 1:
            _check_groups("input channels", shape[-1], self.groups)
            _check_groups("filters", self.filters, self.groups)
        strides = per_axis(self.strides, len(size), "strides")
        _check_dilation(strides, window.dilation)
        return (*windows(size, window.kernel, strides, self.padding, window.dilation, "convolves"), self.filters)

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.Conv{rank}D`."""
        return layer(
            f"Conv{len(inputs[0]) - 1}D",
            {"filters": self.filters, "kernel_size": self.kernel_size},
            strides=(self.strides, 1),
            padding=(self.padding, "valid"),
            dilation_rate=(self.dilation_rate, 1),
            groups=(self.groups, 1),
            use_bias=(self.use_bias, True),
            kernel_initializer=(_start(self.initializer), "glorot_uniform"),
            bias_initializer=(_constant(self.bias_start), "zeros"),
        )

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Return kernel (window ..., channels of a group, filters) and bias (filters)."""
        kernel = (*self.window(*inputs).kernel, inputs[0][-1] // self.groups, self.filters)
        return {"kernel": kernel, "bias": (self.filters,)} if self.use_bias else {"kernel": kernel}

    def macs(self, *inputs: Shape) -> int:
        """Return one product for each output value and each value of its window."""
        return math.prod(self.output_shape(*inputs)[:-1]) * math.prod(self.weights(*inputs)["kernel"])

    def window(self, *inputs: Shape) -> Window:
        """Return kernel, strides and dilation."""
        rank = len(inputs[0]) - 1
        return Window(
            per_axis(self.kernel_size, rank, "kernel_size"),
            per_axis(self.strides, rank, "strides"),
            per_axis(self.dilation_rate, rank, "dilation_rate"),
        )


@dataclass(frozen=True)
class DepthwiseConvolution(NodeType):
    """`keras.layers.DepthwiseConv1D` or `DepthwiseConv2D`: each channel has its own filters.

    Args:
        kernel_size: Size of the window.
        strides: Steps of the window.
        padding: `same` or `valid`.
        depth_multiplier: Filters per input channel.
        dilation_rate: Distance between the values of the window. Above 1 only with strides 1.
        use_bias: Add a learned number per output channel.
        initializer: What the kernel starts with.
    """

    kind: ClassVar[str] = "depthwise_convolution"
    kernel_size: Size = 3
    strides: Size = 1
    padding: Padding = "valid"
    depth_multiplier: int = 1
    dilation_rate: Size = 1
    use_bias: bool = True
    initializer: Initializer = "glorot_uniform"

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (windows per axis ..., channels x depth_multiplier)."""
        (shape,) = inputs
        size = spatial(shape, "convolves depthwise", (1, 2))
        window = self.window(shape)
        if self.padding == "causal":
            raise ShapeError("padding causal is not for depthwise convolutions")
        strides = per_axis(self.strides, len(size), "strides")
        _check_dilation(strides, window.dilation)
        counts = windows(size, window.kernel, strides, self.padding, window.dilation, "convolves")
        return (*counts, shape[-1] * self.depth_multiplier)

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.DepthwiseConv{rank}D`."""
        return layer(
            f"DepthwiseConv{len(inputs[0]) - 1}D",
            {"kernel_size": self.kernel_size},
            strides=(self.strides, 1),
            padding=(self.padding, "valid"),
            depth_multiplier=(self.depth_multiplier, 1),
            dilation_rate=(self.dilation_rate, 1),
            use_bias=(self.use_bias, True),
            depthwise_initializer=(_start(self.initializer), "glorot_uniform"),
        )

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Return kernel (window ..., channels, depth_multiplier) and bias (their product)."""
        channels = inputs[0][-1]
        kernel = (*self.window(*inputs).kernel, channels, self.depth_multiplier)
        return {"kernel": kernel, "bias": (channels * self.depth_multiplier,)} if self.use_bias else {"kernel": kernel}

    def macs(self, *inputs: Shape) -> int:
        """Return one product for each output value and each value of its window in one channel."""
        return math.prod(self.output_shape(*inputs)[:-1]) * math.prod(self.weights(*inputs)["kernel"])

    def window(self, *inputs: Shape) -> Window:
        """Return kernel, strides and dilation."""
        rank = len(inputs[0]) - 1
        return Window(
            per_axis(self.kernel_size, rank, "kernel_size"),
            per_axis(self.strides, rank, "strides"),
            per_axis(self.dilation_rate, rank, "dilation_rate"),
        )


def _start(initializer: Initializer) -> Any:
    """Return how Keras spells it."""
    if initializer != "he_normal_fan_out":
        return initializer
    spread = {"scale": 2.0, "mode": "fan_out", "distribution": "truncated_normal"}
    return {"class_name": "VarianceScaling", "config": spread}


def _constant(value: float) -> Any:
    return {"class_name": "Constant", "config": {"value": value}} if value else "zeros"


def _check_groups(what: str, count: int, groups: int) -> None:
    if count % groups:
        raise ShapeError(
            f"divides {count} {what} into {groups} groups: {count} / {groups} = {count / groups:.2f}",
            "Input channels and filters must both be multiples of 'groups'.",
        )


def _check_dilation(strides: tuple[int, ...], dilation: tuple[int, ...]) -> None:
    if max(strides) > 1 and max(dilation) > 1:
        raise ShapeError(
            f"strides {list(strides)} and dilation_rate {list(dilation)} cannot both be above 1",
            "Set one of them to 1.",
        )
