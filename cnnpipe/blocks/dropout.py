"""Random zeros while training."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.blocks import Block, Example
from cnnpipe.blocks._fields import Rate
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.dropout import Dropout as DropoutNode


class Dropout(Block):
    """Zero a share of the values while training; nothing afterwards, and nothing in exported files.

    Output shape: that of the input.

    Source: Srivastava et al. 2014; `spatial`: Tompson et al. 2015, section 3.2.
    """

    examples: ClassVar[tuple[Example, ...]] = ({}, {"rate": 0.2, "spatial": True})

    also_called: ClassVar[tuple[str, ...]] = ("dropout2d", "spatialdropout2d")
    type: Literal["dropout"] = "dropout"
    rate: Rate = 0.5
    """Share of the values that are zeroed; the others are divided by 1 - rate."""
    spatial: bool = False
    """Zero whole channels of a map instead of single values."""

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the node and return its output."""
        return graph.add(DropoutNode(self.rate, self.spatial), tensor)
