"""A map as one vector."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.blocks import Block, Example
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.rearrange import Flatten as FlattenNode


class Flatten(Block):
    """All values of the map as one vector, channels running fastest.

    Output shape: (height x width x channels).

    Source: `keras.layers.Flatten`.
    """

    examples: ClassVar[tuple[Example, ...]] = ({},)

    type: Literal["flatten"] = "flatten"

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the node and return its output."""
        return graph.add(FlattenNode(), tensor)
