"""Normalization by fixed numbers, at the input of a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cnnpipe.graph.arithmetic import layer
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
    """`keras.layers.Normalization` with given statistics: (x - mean) / sqrt(variance), without weights.

    Args:
        mean: One number per channel.
        variance: One positive number per channel.
    """

    kind: ClassVar[str] = "normalization"
    mean: tuple[float, ...]
    variance: tuple[float, ...]

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the input's shape."""
        _check_channels("mean", self.mean, inputs[0])
        _check_channels("variance", self.variance, inputs[0])
        return inputs[0]

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.Normalization`."""
        return KerasLayer("Normalization", {"mean": self.mean, "variance": self.variance})


def _check_channels(word: str, value: float | tuple[float, ...], shape: Shape) -> None:
    if isinstance(value, tuple) and len(value) != shape[-1]:
        raise ShapeError(f"{word} has {len(value)} numbers for {shape[-1]} channels")
