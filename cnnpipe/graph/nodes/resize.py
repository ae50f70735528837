"""Larger or smaller maps: transposed convolution, upsampling by whole factors, resizing to a given size."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from cnnpipe.graph.arithmetic import Padding, Size, enlarged, layer, per_axis, spatial
from cnnpipe.graph.core import KerasLayer, NodeType, Shape, ShapeError, Window

Interpolation = Literal["nearest", "bilinear"]


@dataclass(frozen=True)
class TransposedConvolution(NodeType):
    """`keras.layers.Conv1DTranspose`, `2D` or `3D`: the gradient of a convolution as a layer, to enlarge a map.

    Args:
        filters: Channels of the output.
        kernel_size: Size of the window that each input value is spread over.
        strides: How many times larger the map becomes.
        padding: `same` (n s values come out) or `valid` (plus what the kernel reaches beyond).
        use_bias: Add a learned number per filter.
    """

    kind: ClassVar[str] = "transposed_convolution"
    filters: int
    kernel_size: Size = 3
    strides: Size = 1
    padding: Padding = "valid"
    use_bias: bool = True

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (enlarged ..., filters)."""
        size = spatial(inputs[0], "convolves")
        if self.padding == "causal":
            raise ShapeError("padding causal is not for transposed convolutions")
        kernel, strides = self._kernel(len(size)), per_axis(self.strides, len(size), "strides")
        large = (enlarged(n, k, s, self.padding) for n, k, s in zip(size, kernel, strides, strict=True))
        return (*large, self.filters)

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.Conv{rank}DTranspose`."""
        return layer(
            f"Conv{len(inputs[0]) - 1}DTranspose",
            {"filters": self.filters, "kernel_size": self.kernel_size},
            strides=(self.strides, 1),
            padding=(self.padding, "valid"),
            use_bias=(self.use_bias, True),
        )

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Return kernel (window ..., filters, channels) and bias (filters)."""
        kernel = (*self._kernel(len(inputs[0]) - 1), self.filters, inputs[0][-1])
        return {"kernel": kernel, "bias": (self.filters,)} if self.use_bias else {"kernel": kernel}

    def macs(self, *inputs: Shape) -> int:
        """Return one product for each input position and each weight, also where `same` crops the result."""
        return math.prod(inputs[0][:-1]) * math.prod(self.weights(*inputs)["kernel"])

    def window(self, *inputs: Shape) -> Window:
        """Return the input values that can reach one output value: ceil(kernel / strides)."""
        rank = len(inputs[0]) - 1
        strides = per_axis(self.strides, rank, "strides")
        reach = tuple(-(-k // s) for k, s in zip(self._kernel(rank), strides, strict=True))
        return Window(reach, tuple(1 / s for s in strides), (1,) * rank)

    def _kernel(self, rank: int) -> tuple[int, ...]:
        return per_axis(self.kernel_size, rank, "kernel_size")


@dataclass(frozen=True)
class Upsampling(NodeType):
    """Every value repeated, or blended with its neighbours, by a whole factor.

    In 2D with `nearest` it is `keras.layers.Resizing`, which converts to one resize operator, where
    `UpSampling2D` becomes a reshape and a tile.

    Args:
        size: The factor.
        interpolation: `nearest`, or in 2D `bilinear`.
    """

    kind: ClassVar[str] = "upsampling"
    size: Size = 2
    interpolation: Interpolation = "nearest"

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (n x size ..., channels)."""
        old = spatial(inputs[0], "enlarges")
        if self.interpolation != "nearest" and len(old) != 2:
            raise ShapeError(f"interpolation {self.interpolation} is for maps in 2D, received {len(old)}D")
        factors = per_axis(self.size, len(old), "size")
        return (*(n * factor for n, factor in zip(old, factors, strict=True)), inputs[0][-1])

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.Resizing` or `UpSampling{rank}D`."""
        rank = len(inputs[0]) - 1
        if rank == 2 and self.interpolation == "nearest":
            return Resizing(self.output_shape(*inputs)[:-1], "nearest").keras_layer(*inputs)
        size = self.size if rank > 1 else per_axis(self.size, 1, "size")[0]  # in 1D Keras wants the number itself
        return layer(f"UpSampling{rank}D", {"size": size}, interpolation=(self.interpolation, "nearest"))

    def window(self, *inputs: Shape) -> Window:
        """Return one value, or with `bilinear` two, moved by 1 / size."""
        rank = len(inputs[0]) - 1
        factors = per_axis(self.size, rank, "size")
        return Window(_reach(self.interpolation, rank), tuple(1 / f for f in factors), (1,) * rank)


@dataclass(frozen=True)
class Resizing(NodeType):
    """`keras.layers.Resizing`, without antialiasing. 2D only.

    Args:
        size: Height and width of the output.
        interpolation: `nearest` or `bilinear`.
    """

    kind: ClassVar[str] = "resizing"
    size: tuple[int, ...]
    interpolation: Interpolation = "bilinear"

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (height, width, channels)."""
        spatial(inputs[0], "resizes", (2,))
        return (*per_axis(self.size, 2, "size"), inputs[0][-1])

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.Resizing`."""
        height, width = self.size
        config = {"height": height, "width": width}
        return layer("Resizing", config, interpolation=(self.interpolation, "bilinear"))

    def window(self, *inputs: Shape) -> Window:
        """Return one value, or with `bilinear` two, moved by old / new size."""
        steps = tuple(old / new for old, new in zip(inputs[0][:-1], self.size, strict=True))
        return Window(_reach(self.interpolation, 2), steps, (1, 1))


def _reach(interpolation: Interpolation, rank: int) -> tuple[int, ...]:
    return (2 if interpolation == "bilinear" else 1,) * rank
