"""A convolution that a second one switches on and off (Dauphin et al. 2017, https://arxiv.org/abs/1612.08083)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from cnnpipe.blocks import Block, Example
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.graph.nodes.merge import Multiply


class GatedConv(Block):
    """Two convolutions, one through a sigmoid, multiplied.

    Output shape: (height, width, filters).
    """

    examples: ClassVar[tuple[Example, ...]] = ({"filters": 4},)

    type: Literal["gated_conv"] = "gated_conv"
    filters: int = Field(ge=1)
    """Channels of the output."""

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the nodes and return the last output."""
        values = graph.add(Convolution(self.filters, padding="same"), tensor)
        gates = graph.add(Activation("sigmoid"), graph.add(Convolution(self.filters, padding="same"), tensor))
        return graph.add(Multiply(), values, gates)
