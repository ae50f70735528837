"""The `model` section of a recipe: a backbone, blocks, or both, and perhaps a neck, that turn the input into features.

The head is the task's.
"""

from __future__ import annotations

from collections.abc import Mapping

from cnnpipe.backbones import AnyBackbone
from cnnpipe.blocks import Block, ScalableBlocks, expand_blocks
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.necks import AnyNeck


class Model(ScalableBlocks):
    """The network without its head: `blocks`, a `backbone`, or a backbone and blocks after it."""

    backbone: AnyBackbone | None = None
    """A published network without its head; blocks stand after it."""

    neck: AnyNeck | None = None
    """What turns feature maps of several sizes into others, for tasks that answer for places in the image."""

    def scaled_blocks(self) -> tuple[Block, ...]:
        """Return the blocks after the backbone, as its options and the coefficients ask for them."""
        blocks = super().scaled_blocks()
        return blocks if self.backbone is None else tuple(self.backbone.following(blocks))

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add all nodes of the model after `tensor`, mark its feature maps, and return the last output.

        Raises:
            ProblemError: Shapes do not fit; or there is a neck that gives several maps, where one is asked for.
        """
        tensor = self._expand_body(graph, tensor)
        if self.neck is None:
            return tensor
        maps = self._expand_neck(graph)
        if len(maps) > 1:
            with graph.block(("model", "neck")):
                raise graph.problem(f"one feature map is asked for, and this neck gives {len(maps)}: {', '.join(maps)}")
        return next(iter(maps.values()))

    def expand_maps(self, graph: GraphBuilder, tensor: Tensor) -> Mapping[str, Tensor]:
        """Add all nodes of the model after `tensor`; return the neck's maps by level, or all where there is no neck."""
        self._expand_body(graph, tensor)
        return graph.levels() if self.neck is None else self._expand_neck(graph)

    def _expand_body(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        if self.backbone is not None:
            with graph.block(("model", "backbone"), "backbone"):
                tensor = self.backbone.expand(graph, tensor)
        return expand_blocks(graph, tensor, self.scaled_blocks(), ("model", "blocks"))

    def _expand_neck(self, graph: GraphBuilder) -> Mapping[str, Tensor]:
        assert self.neck is not None  # noqa: S101
        with graph.block(("model", "neck"), "neck"):
            return self.neck.expand(graph, graph.levels())
