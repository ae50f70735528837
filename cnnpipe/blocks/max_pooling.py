"""The largest value of each window."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.blocks import Block, Example
from cnnpipe.blocks._fields import PoolPaddings, Sizes
from cnnpipe.blocks._layers import padded
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.pooling import MaxPooling as MaxPoolingNode


class MaxPooling(Block):
    """The largest value of each window, for each channel.

    Output shape: (height / 2, width / 2, channels) with the defaults, rounded down; in general
    floor((n + 2 padding - pool_size) / strides) + 1 on each axis, with padding same ceil(n / strides).

    Source: Scherer et al. 2010, which compares it with the mean.
    """

    examples: ClassVar[tuple[Example, ...]] = (
        {},
        {"pool_size": 3, "strides": 2, "padding": "same"},
        {"pool_size": 3, "strides": 2, "padding": 1},
    )

    also_called: ClassVar[tuple[str, ...]] = (
        "maxpooling2d",
        "maxpool2d",
        "maxpool",
        "max_pool",
        "maxpooling1d",
        "pool",
        "pooling",
    )
    type: Literal["max_pooling"] = "max_pooling"
    pool_size: Sizes = 2
    """Size of the window."""
    strides: Sizes | None = None
    """Steps of the window; its size when left out."""
    padding: PoolPaddings = "valid"
    """Whether windows may reach over the edge (same) or not (valid); a number, or [before, after] per axis: zeros."""

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the nodes and return the last output."""
        tensor, padding = padded(graph, tensor, self.padding)
        return graph.add(MaxPoolingNode(self.pool_size, self.strides, padding), tensor)
