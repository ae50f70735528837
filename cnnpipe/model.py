"""The `model` section of a recipe: blocks or a backbone, that turn the input into features. The head is the task's."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from cnnpipe.backbones import AnyBackbone
from cnnpipe.blocks import AnyBlock
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.spec import Spec


class Model(Spec):
    """The network without its head: `blocks` or `backbone`."""

    blocks: Annotated[tuple[AnyBlock, ...], Field(min_length=1)] | None = None
    """Blocks in order, each reading the one before."""
    backbone: AnyBackbone | None = None
    """A published network without its head, in the place of blocks."""

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add all nodes of the model after `tensor`, mark its feature maps, and return the last output."""
        if self.backbone is not None:
            with graph.block(("model", "backbone"), "backbone"):
                return self.backbone.expand(graph, tensor)
        for number, block in enumerate(self.blocks or ()):
            with graph.block(("model", "blocks", number), block.name):
                tensor = block.expand(graph, tensor)
                graph.feature(tensor)
        return tensor
