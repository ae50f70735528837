"""The `model` section of a recipe: a backbone, blocks, or both, that turn the input into features.

The head is the task's.
"""

from __future__ import annotations

from cnnpipe.backbones import AnyBackbone
from cnnpipe.blocks import ScalableBlocks, expand_blocks
from cnnpipe.graph import GraphBuilder, Tensor


class Model(ScalableBlocks):
    """The network without its head: `blocks`, a `backbone`, or a backbone and blocks after it."""

    backbone: AnyBackbone | None = None
    """A published network without its head; blocks stand after it."""

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add all nodes of the model after `tensor`, mark its feature maps, and return the last output."""
        if self.backbone is not None:
            with graph.block(("model", "backbone"), "backbone"):
                tensor = self.backbone.expand(graph, tensor)
        return expand_blocks(graph, tensor, self.scaled_blocks(), ("model", "blocks"))
