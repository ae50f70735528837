"""Vectors of patches and of their positions: what a vision transformer begins with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from cnnpipe.graph.arithmetic import spatial
from cnnpipe.graph.core import KerasLayer, NodeType, Shape

SPREAD = 0.02
"""Standard deviation of what the vectors of positions start with, as in the published code of Dosovitskiy et al."""


@dataclass(frozen=True)
class PatchEmbedding(NodeType):
    """The values of each patch times a learned matrix, plus a learned vector for its position in the sequence.

    It is a `keras.layers.EinsumDense` whose bias has an axis of positions, which plain Keras has (Dosovitskiy et al.
    2021, equation 1: biases of patches, and the class token at a position without values, are sums with its vector).

    Args:
        units: Channels of the output.
    """

    kind: ClassVar[str] = "patch_embedding"
    units: int

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (positions, units)."""
        spatial(inputs[0], "embeds the positions of", (1,))
        return (inputs[0][0], self.units)

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.EinsumDense`."""
        start = {"class_name": "RandomNormal", "config": {"stddev": SPREAD}}
        config = {"equation": "bnp,pd->bnd", "output_shape": self.output_shape(*inputs), "bias_axes": "nd"}
        return KerasLayer("EinsumDense", {**config, "bias_initializer": start})

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Return kernel (channels, units) and bias (positions, units)."""
        return {"kernel": (inputs[0][-1], self.units), "bias": self.output_shape(*inputs)}

    def macs(self, *inputs: Shape) -> int:
        """Return positions x channels x units."""
        return math.prod(inputs[0]) * self.units
