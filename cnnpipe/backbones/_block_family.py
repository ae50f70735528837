"""What the families share whose networks are written in blocks: in shipped recipes, which are their only source."""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Sequence

from cnnpipe.backbones._application import Application
from cnnpipe.blocks import Block, ScalableBlocks, expand_blocks
from cnnpipe.extends import read_chain
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.locations import shipped_recipe


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
        return self.model_copy(update={"blocks": published.blocks, **both}).scaled_blocks()

    def _scaled(self) -> tuple[Block, ...]:
        return super().scaled_blocks()

    def unpublished(self) -> str:
        """Return why there are no published weights though `weights` asks for them; empty when there are."""
        own = self.blocks is not None or self.width_coefficient != 1 or self.depth_coefficient != 1
        if self.weights == "imagenet" and own:
            published = type(self).model_validate({name: getattr(self, name) for name in self.variants[0]})
            if published.scaled_blocks() != self.scaled_blocks():
                return f"there are no weights 'imagenet' for other blocks than those of the published '{self.recipe}'"
        return super().unpublished()

    def layers(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the nodes of all blocks, mark feature maps, and return the last output."""
        return expand_blocks(graph, tensor, self.scaled_blocks(), ("blocks",))


@functools.cache
def _published(family: type[BlockFamily], recipe: str) -> BlockFamily:
    """Return the backbone of a shipped recipe."""
    file = shipped_recipe(recipe)
    backbone = read_chain(file, str(file)).root.plain(tuple)["model"]["backbone"]
    return family.model_validate(backbone)
