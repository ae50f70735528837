"""The mean of each channel over the whole map."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.blocks import Block, Example
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.pooling import GlobalAveragePooling as GlobalAveragePoolingNode


class GlobalAveragePooling(Block):
    """The mean of each channel over all positions: no weights, and any input size.

    Output shape: (channels), or (1, 1, channels) with `keepdims`.

    Source: Lin et al. 2014 (Network in Network), section 3.2.
    """

    examples: ClassVar[tuple[Example, ...]] = ({}, {"keepdims": True})

    also_called: ClassVar[tuple[str, ...]] = (
        "globalaveragepooling2d",
        "adaptiveavgpool2d",
        "gap",
        "global_avg_pool",
        "globalavgpool",
        "global_pool",
        "globalpooling",
    )
    type: Literal["global_average_pooling"] = "global_average_pooling"
    keepdims: bool = False
    """Keep the spatial axes, with size 1."""

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the node and return its output."""
        return graph.add(GlobalAveragePoolingNode(self.keepdims), tensor)
