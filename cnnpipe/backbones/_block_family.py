"""What the families share whose networks are written in blocks: in shipped recipes, which are their only source."""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Sequence

from cnnpipe.backbones._application import Application
from cnnpipe.blocks import Block, ScalableBlocks, expand_blocks
from cnnpipe.errors import ProblemError
from cnnpipe.extends import read_chain
from cnnpipe.graph import Graph, GraphBuilder, Tensor
from cnnpipe.graph.matching import Difference, matched
from cnnpipe.locations import shipped_recipe

PUBLISHED_SHAPE = (224, 224, 3)
"""An input on which networks are compared."""


class BlockFamily(Application, ScalableBlocks):
    """Base of the families that recipes write in blocks: everything up to the head.

    With `blocks` it is these. Without, it is those of the shipped recipe of the same choice, scaled as there, and then
    by the coefficients.
    """

    @property
    @abstractmethod
    def recipe(self) -> str:
        """Name of the shipped recipe whose `model.backbone` holds the blocks."""

    def adapted(self, blocks: Sequence[Block]) -> Sequence[Block]:
        """Return what the options of the family make of the published blocks; unless overridden, the same."""
        return blocks

    def scaled_blocks(self) -> tuple[Block, ...]:
        """Return the blocks as the options ask for them, wider and deeper by the coefficients."""
        if self.blocks is not None:
            return tuple(self.model_copy(update={"blocks": tuple(self.adapted(self.blocks))})._scaled())
        published = _published(type(self), self.recipe)
        factors = ("width_coefficient", "depth_coefficient")
        both = {factor: getattr(published, factor) * getattr(self, factor) for factor in factors}
        rate = published.stochastic_depth if self.stochastic_depth is None else self.stochastic_depth
        update = {"blocks": published.blocks, "stochastic_depth": rate, **both}
        return self.model_copy(update=update).scaled_blocks()

    def _scaled(self) -> tuple[Block, ...]:
        return super().scaled_blocks()

    def unpublished(self) -> str:
        """Return why there are no published weights though `weights` asks for them; empty when there are."""
        if self.published and (difference := self._difference()):
            what = "there are no weights 'imagenet'" if self.weights == "imagenet" else "a file of Keras has no weights"
            return f"{what} for other blocks than those of the published '{self.recipe}': {difference}"
        return super().unpublished()

    def _difference(self) -> str:
        """Return where the network is another one than the published one; empty when they are the same."""
        if self.blocks is None and self.width_coefficient == self.depth_coefficient == 1:
            return ""
        choices = {name: getattr(self, name) for name in self.variants[0]}
        published = _published(type(self), self.recipe).model_copy(update=choices)
        if published.scaled_blocks() == self.scaled_blocks():
            return ""
        try:
            ours, theirs = self._graph(), published._graph()
            matched(ours, theirs, ours.outputs["features"], theirs.outputs["features"])
        except ProblemError as error:
            return error.problems[0].message
        except Difference as difference:
            return f"{ours.nodes[difference.ours].block or 'its end'}: {difference.message}"
        return ""

    def _graph(self) -> Graph:
        builder = GraphBuilder()
        return builder.build({"features": self.layers(builder, builder.input("images", PUBLISHED_SHAPE))})

    def layers(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the nodes of all blocks, mark feature maps, and return the last output."""
        return expand_blocks(graph, tensor, self.scaled_blocks(), ("blocks",))


@functools.cache
def _published(family: type[BlockFamily], recipe: str) -> BlockFamily:
    """Return the backbone of a shipped recipe."""
    file = shipped_recipe(recipe)
    backbone = read_chain(file, str(file)).root.plain(tuple)["model"]["backbone"]
    return family.model_validate(backbone)
