"""Pooling: the largest or the mean value of a window, or of a whole map, for each channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cnnpipe.graph.arithmetic import Padding, Size, layer, per_axis, spatial, windows
from cnnpipe.graph.core import KerasLayer, NodeType, Shape, ShapeError, Window


@dataclass(frozen=True)
class _Pooling(NodeType):
    """Pooling over a window.

    Args:
        pool_size: Size of the window.
        strides: Steps of the window; its size when None.
        padding: `same` or `valid`.
    """

    keras_name: ClassVar[str]
    pool_size: Size = 2
    strides: Size | None = None
    padding: Padding = "valid"

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (windows per axis ..., channels)."""
        (shape,) = inputs
        size = spatial(shape, "pools")
        if self.padding == "causal":
            raise ShapeError("padding causal is not for pooling")
        kernel = per_axis(self.pool_size, len(size), "pool_size")
        strides = per_axis(self._steps(), len(size), "strides")
        return (*windows(size, kernel, strides, self.padding, (1,) * len(size), "pools"), shape[-1])

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.MaxPooling{rank}D` or `AveragePooling{rank}D`."""
        return layer(
            f"{self.keras_name}{len(inputs[0]) - 1}D",
            {"pool_size": self.pool_size},
            strides=(self._steps(), self.pool_size),
            padding=(self.padding, "valid"),
        )

    def window(self, *inputs: Shape) -> Window:
        """Return pool size and strides."""
        rank = len(inputs[0]) - 1
        kernel, strides = per_axis(self.pool_size, rank, "pool_size"), per_axis(self._steps(), rank, "strides")
        return Window(kernel, strides, (1,) * rank)

    def _steps(self) -> Size:
        return self.pool_size if self.strides is None else self.strides


@dataclass(frozen=True)
class MaxPooling(_Pooling):
    """The largest value of each window."""

    kind: ClassVar[str] = "max_pooling"
    keras_name: ClassVar[str] = "MaxPooling"


@dataclass(frozen=True)
class AveragePooling(_Pooling):
    """The mean of each window; padded values do not count."""

    kind: ClassVar[str] = "average_pooling"
    keras_name: ClassVar[str] = "AveragePooling"


@dataclass(frozen=True)
class _GlobalPooling(NodeType):
    """Pooling over all positions.

    Args:
        keepdims: Keep the spatial axes, with size 1.
    """

    keras_name: ClassVar[str]
    keepdims: bool = False

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (channels), or (1 ..., channels) with `keepdims`."""
        (shape,) = inputs
        size = spatial(shape, "pools")
        return (*((1,) * len(size) if self.keepdims else ()), shape[-1])

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.GlobalAveragePooling{rank}D` or `GlobalMaxPooling{rank}D`."""
        return layer(f"{self.keras_name}{len(inputs[0]) - 1}D", {}, keepdims=(self.keepdims, False))

    def window(self, *inputs: Shape) -> None:
        """Return None: every position is read."""
        return None


@dataclass(frozen=True)
class GlobalAveragePooling(_GlobalPooling):
    """The mean of each channel."""

    kind: ClassVar[str] = "global_average_pooling"
    keras_name: ClassVar[str] = "GlobalAveragePooling"


@dataclass(frozen=True)
class GlobalMaxPooling(_GlobalPooling):
    """The largest value of each channel."""

    kind: ClassVar[str] = "global_max_pooling"
    keras_name: ClassVar[str] = "GlobalMaxPooling"
