"""Factors and offsets of channels: fixed numbers, measured statistics, learned scales."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from cnnpipe.graph.arithmetic import layer, spatial
from cnnpipe.graph.core import KerasLayer, NodeType, Shape, ShapeError


@dataclass(frozen=True)
class Rescaling(NodeType):
    """`keras.layers.Rescaling`: x * scale + offset.

    Args:
        scale: One number, or one per channel.
        offset: One number, or one per channel.
    """

    kind: ClassVar[str] = "rescaling"
    scale: float | tuple[float, ...]
    offset: float | tuple[float, ...] = 0.0

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the input's shape."""
        _check_channels("scale", self.scale, inputs[0])
        _check_channels("offset", self.offset, inputs[0])
        return inputs[0]

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.Rescaling`."""
        return layer("Rescaling", {"scale": self.scale}, offset=(self.offset, 0.0))


@dataclass(frozen=True)
class Normalization(NodeType):
    """`keras.layers.Normalization`: (x - mean) / sqrt(variance).

    Args:
        mean: One number per channel; without it mean and variance are weights that no training changes.
        variance: One positive number per channel, if there is a mean.
    """

    kind: ClassVar[str] = "normalization"
    mean: tuple[float, ...] | None = None
    variance: tuple[float, ...] | None = None

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the input's shape."""
        _check_channels("mean", self.mean, inputs[0])
        _check_channels("variance", self.variance, inputs[0])
        return inputs[0]

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.Normalization`."""
        return layer("Normalization", {}, mean=(self.mean, None), variance=(self.variance, None))

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Return mean and variance per channel and the count of values that they come from, unless they are given."""
        if self.mean is not None:
            return {}
        return {"mean": inputs[0][-1:], "variance": inputs[0][-1:], "count": ()}


@dataclass(frozen=True)
class ChannelScale(NodeType):
    """A learned factor per channel of a map in 2D (Touvron et al. 2021, section 2): LayerScale.

    It is a `keras.layers.DepthwiseConv2D` with a 1x1 window, which plain Keras has and every converter knows.

    Args:
        initial_value: What every factor starts with.
    """

    kind: ClassVar[str] = "channel_scale"
    initial_value: float = 1e-6

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the input's shape."""
        spatial(inputs[0], "scales the channels of", (2,))
        return inputs[0]

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.DepthwiseConv2D`."""
        start = {"class_name": "Constant", "config": {"value": self.initial_value}}
        return KerasLayer("DepthwiseConv2D", {"kernel_size": 1, "use_bias": False, "depthwise_initializer": start})

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Return kernel (1, 1, channels, 1)."""
        return {"kernel": (1, 1, inputs[0][-1], 1)}

    def macs(self, *inputs: Shape) -> int:
        """Return one product for each value."""
        return math.prod(inputs[0])


def _check_channels(word: str, value: float | tuple[float, ...] | None, shape: Shape) -> None:
    if isinstance(value, tuple) and len(value) != shape[-1]:
        raise ShapeError(f"{word} has {len(value)} numbers for {shape[-1]} channels")
