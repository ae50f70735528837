"""The mean of each window."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.blocks import Block, Example
from cnnpipe.blocks._fields import PoolPadding, Sizes
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.pooling import AveragePooling as AveragePoolingNode


class AveragePooling(Block):
    """The mean of each window, for each channel.

    Output shape: (height / 2, width / 2, channels) with the defaults, rounded down; in general
    floor((n - pool_size) / strides) + 1 on each axis, with padding same ceil(n / strides).

    Source: LeCun et al. 1998, section II (sub-sampling layers).
    """

    examples: ClassVar[tuple[Example, ...]] = ({}, {"pool_size": 3, "strides": 2, "padding": "same"})

    also_called: ClassVar[tuple[str, ...]] = ("averagepooling2d", "avgpool2d", "avgpool", "avg_pool", "average_pool")
    type: Literal["average_pooling"] = "average_pooling"
    pool_size: Sizes = 2
    """Size of the window."""
    strides: Sizes | None = None
    """Steps of the window; its size when left out."""
    padding: PoolPadding = "valid"
    """Whether windows may reach over the edge (same) or not (valid)."""

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the node and return its output."""
        return graph.add(AveragePoolingNode(self.pool_size, self.strides, self.padding), tensor)
