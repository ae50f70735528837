"""Blocks: specs that expand into graph nodes. One file per block."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field
from typing_extensions import Self

from cnnpipe.blocks._scaling import Scaling
from cnnpipe.errors import Path
from cnnpipe.graph import GraphBuilder, Shape, Tensor
from cnnpipe.registry import Component, Room
from cnnpipe.spec import Spec

Example = Mapping[str, Any]
"""Values of a spec's fields."""


class Block(Spec):
    """Base of all blocks."""

    examples: ClassVar[tuple[Example, ...]] = ()
    """What the conformance test builds this block with, each way through `expand` once; at least one."""
    example_input: ClassVar[Shape] = (16, 16, 8)
    """Shape of the tensor that the examples read."""
    widths: ClassVar[tuple[str, ...]] = ("filters",)
    """Fields that count channels, which `width_coefficient` scales; a block needs not have them."""
    depths: ClassVar[tuple[str, ...]] = ("repeat",)
    """Fields that count repetitions, which `depth_coefficient` scales; a block needs not have them."""

    name: str | None = None
    """The user's name for this block: shown in tables, and usable in recipe paths."""

    def scaled(self, scaling: Scaling) -> Self:
        """Return the block with more or fewer channels and repetitions."""
        fields = type(self).model_fields
        wider = {name: scaling.filters(getattr(self, name)) for name in self.widths if name in fields}
        deeper = {name: scaling.repeats(getattr(self, name)) for name in self.depths if name in fields}
        return self.model_copy(update={**wider, **deeper})

    @abstractmethod
    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add this block's nodes after `tensor` and return its output."""


ROOM = Room("blocks", Block)
AnyBlock = Annotated[Block, Component("blocks")]
Blocks = Annotated[tuple[AnyBlock, ...], Field(min_length=1)]
Coefficient = Annotated[float, Field(gt=0, le=100)]


class ScalableBlocks(Spec):
    """Base of the sections that hold blocks, which may all be scaled together."""

    blocks: Blocks | None = None
    """Blocks in order, each reading the one before."""
    width_coefficient: Coefficient = 1.0
    """Factor on the channels of all blocks, rounded to multiples of 8 (Tan and Le 2019, section 3.3)."""
    depth_coefficient: Coefficient = 1.0
    """Factor on the repetitions of all blocks that have `repeat`, rounded up."""

    def scaled_blocks(self) -> tuple[Block, ...]:
        """Return the blocks, wider and deeper by the coefficients."""
        scaling = Scaling(self.width_coefficient, self.depth_coefficient)
        return tuple(block.scaled(scaling) for block in self.blocks or ())


def expand_blocks(graph: GraphBuilder, tensor: Tensor, blocks: Sequence[Block], path: Path) -> Tensor:
    """Add the nodes of all blocks after `tensor`, mark their feature maps, and return the last output.

    Args:
        graph: Where to add.
        tensor: What the first block reads.
        blocks: Blocks in order.
        path: Recipe path of their list, below that of the current block.
    """
    for number, block in enumerate(blocks):
        with graph.block((*path, number), block.name):
            tensor = block.expand(graph, tensor)
            graph.feature(tensor)
    return tensor
