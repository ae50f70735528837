"""The `model` section of a recipe: blocks that turn the input into features. The head belongs to the task."""

from __future__ import annotations

from pydantic import Field

from cnnpipe.blocks import AnyBlock
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.spec import Spec


class Model(Spec):
    """The network without its head."""

    blocks: tuple[AnyBlock, ...] = Field(min_length=1)
    """Blocks in order, each reading the one before."""

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add all nodes of the model after `tensor` and return the last output."""
        for number, block in enumerate(self.blocks):
            with graph.block(("model", "blocks", number), block.name):
                tensor = block.expand(graph, tensor)
        return tensor
