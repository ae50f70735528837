"""Blocks: specs that expand into graph nodes. One file per block."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
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

    @property
    def residual_units(self) -> int:
        """Number of parts that examples can pass by while training."""
        return 0

    def with_stochastic_depth(self, rates: Sequence[float]) -> Self:
        """Return the block with these shares of examples that pass a residual unit by, one for each unit in order."""
        return self

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
    stochastic_depth: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Share of the examples that pass the last residual unit of all blocks by while training.

    It grows evenly from 0 at the first unit (Huang et al. 2016, section 3). When left out, blocks say it themselves.
    """

    def ignored_keys(self) -> dict[str, str]:
        """Without blocks there is nothing to scale, without residual units nothing to pass by."""
        blocks = self.scaled_blocks()
        without = self.stochastic_depth is not None and not _units(blocks)
        units = {"stochastic_depth": "because no block is made of residual units"} if without else {}
        scales = dict.fromkeys(("width_coefficient", "depth_coefficient"), "because there are no blocks beside it")
        return units if blocks else {**scales, **units}

    def scaled_blocks(self) -> tuple[Block, ...]:
        """Return the blocks, wider and deeper by the coefficients, with the rate of each residual unit."""
        scaling = Scaling(self.width_coefficient, self.depth_coefficient)
        blocks = tuple(block.scaled(scaling) for block in self.blocks or ())
        return blocks if self.stochastic_depth is None else tuple(_stochastic(blocks, self.stochastic_depth))


def _units(blocks: Sequence[Block]) -> int:
    return sum(block.residual_units for block in blocks)


def _stochastic(blocks: Sequence[Block], last: float) -> Iterator[Block]:
    """Yield the blocks with a rate for each of their units, up to that of the last one."""
    start, end = 0, _units(blocks) - 1
    for block in blocks:
        rates = [last * (start + unit) / (end or 1) for unit in range(block.residual_units)]
        yield block.with_stochastic_depth(rates) if rates else block
        start += len(rates)


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
