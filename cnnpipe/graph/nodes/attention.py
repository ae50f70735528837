"""Attention: every position is replaced by a weighted mean over positions, with weights that depend on their values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from cnnpipe.graph.arithmetic import layer, spatial
from cnnpipe.graph.core import KerasLayer, NodeType, Shape, ShapeError

PROJECTIONS = ("query", "key", "value")


@dataclass(frozen=True)
class MultiHeadAttention(NodeType):
    """`keras.layers.MultiHeadAttention` of a tensor with itself (Vaswani et al. 2017, section 3.2).

    Positions along the last spatial axis see one another; those along others are apart. The channels are divided into
    heads, each with projections of its own to query, key and value.

    Args:
        num_heads: Number of heads, a divisor of the channels.
    """

    kind: ClassVar[str] = "multi_head_attention"
    num_heads: int

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the input's shape."""
        (shape,) = inputs
        spatial(shape, "attends to the positions of", (1, 2))
        channels = shape[-1]
        if channels % self.num_heads:
            raise ShapeError(
                f"divides {channels} channels into {self.num_heads} heads: {channels} / {self.num_heads} = "
                f"{channels / self.num_heads:.2f}",
                "The channels must be a multiple of 'num_heads'.",
            )
        return shape

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.MultiHeadAttention`, which is handed its input as query and as value.

        Kernels start with Glorot's spread for matrices of all heads; Keras's own default takes the heads for a window.
        """
        (shape,) = inputs
        bound = math.sqrt(6 / (2 * shape[-1]))
        start = {"class_name": "RandomUniform", "config": {"minval": -bound, "maxval": bound}}
        made = layer(
            "MultiHeadAttention",
            {"num_heads": self.num_heads, "key_dim": shape[-1] // self.num_heads, "kernel_initializer": start},
            attention_axes=((len(shape) - 1,), (1,)),
        )
        return KerasLayer(made.class_name, made.config, copies=2)

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Return kernels (channels, heads, channels of a head) and biases of query, key and value; then the output's.

        The output's kernel is (heads, channels of a head, channels).
        """
        channels = inputs[0][-1]
        head = (self.num_heads, channels // self.num_heads)
        shapes: dict[str, Shape] = {}
        for name in PROJECTIONS:
            shapes |= {f"{name}_kernel": (channels, *head), f"{name}_bias": head}
        return {**shapes, "output_kernel": (*head, channels), "output_bias": (channels,)}

    def macs(self, *inputs: Shape) -> int:
        """Return the products of four projections, of queries with keys, and of attention with values."""
        (shape,) = inputs
        (*_, seen, channels) = shape
        return math.prod(shape) * ((len(PROJECTIONS) + 1) * channels + 2 * seen)

    def window(self, *inputs: Shape) -> None:
        """Return None: every position is read."""
        return None
