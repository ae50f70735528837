"""Zeros around a map, and their opposite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from cnnpipe.graph.arithmetic import a_map, spatial
from cnnpipe.graph.core import KerasLayer, NodeType, Shape, ShapeError

Pairs = int | tuple[tuple[int, int], ...]
"""So many at each side of every axis, or (before, after) per axis."""


@dataclass(frozen=True)
class ZeroPadding(NodeType):
    """`keras.layers.ZeroPadding1D`, `2D` or `3D`.

    Args:
        padding: Zeros to add.
    """

    kind: ClassVar[str] = "zero_padding"
    padding: Pairs

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (n + before + after ..., channels)."""
        size = spatial(inputs[0], "pads")
        pairs = pairs_per_axis(self.padding, len(size), "padding")
        return (*(n + before + after for n, (before, after) in zip(size, pairs, strict=True)), inputs[0][-1])

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.ZeroPadding{rank}D`."""
        rank = len(inputs[0]) - 1
        return KerasLayer(f"ZeroPadding{rank}D", {"padding": _keras_pairs(self.padding, rank)})


@dataclass(frozen=True)
class CenteredPadding(NodeType):
    """`keras.layers.ZeroPadding2D` before a convolution with strides 2 and padding `valid`, by the size of the map.

    A map of even size gets one zero less before it than after it, so that windows lie as they do with `same`.

    Args:
        kernel_size: Size of the window that reads the padded map, odd.
    """

    kind: ClassVar[str] = "centered_padding"
    kernel_size: int

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (height + before + after, width + before + after, channels)."""
        spatial(inputs[0], "pads", (2,))
        return self._zeros(inputs[0]).output_shape(inputs[0])

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.ZeroPadding2D`."""
        return self._zeros(inputs[0]).keras_layer(inputs[0])

    def _zeros(self, shape: Shape) -> ZeroPadding:
        half = self.kernel_size // 2
        return ZeroPadding(tuple((half - 1 + n % 2, half) for n in shape[:-1]))


@dataclass(frozen=True)
class Cropping(NodeType):
    """`keras.layers.Cropping1D`, `2D` or `3D`.

    Args:
        cropping: Values to take away.
    """

    kind: ClassVar[str] = "cropping"
    cropping: Pairs

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (n - before - after ..., channels)."""
        size = spatial(inputs[0], "crops")
        pairs = pairs_per_axis(self.cropping, len(size), "cropping")
        left = tuple(n - before - after for n, (before, after) in zip(size, pairs, strict=True))
        if min(left) < 1:
            axis = left.index(min(left))
            before, after = pairs[axis]
            raise ShapeError(f"crops {a_map(size)}: {size[axis]} - {before} - {after} = {left[axis]}")
        return (*left, inputs[0][-1])

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.Cropping{rank}D`."""
        rank = len(inputs[0]) - 1
        return KerasLayer(f"Cropping{rank}D", {"cropping": _keras_pairs(self.cropping, rank)})


def pairs_per_axis(value: Pairs, rank: int, word: str) -> tuple[tuple[int, int], ...]:
    """Return (before, after) per spatial axis.

    Raises:
        ShapeError: There are pairs for another number of axes.
    """
    if isinstance(value, int):
        return ((value, value),) * rank
    if len(value) != rank:
        raise ShapeError(f"{word} needs a pair for each axis, {rank} in all (received {len(value)})")
    return value


def _keras_pairs(value: Pairs, rank: int) -> Any:
    return value if isinstance(value, int) or rank > 1 else value[0]  # in 1D Keras wants the pair itself
