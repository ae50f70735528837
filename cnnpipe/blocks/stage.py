"""Blocks that are repeated."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field
from typing_extensions import Self

from cnnpipe.blocks import AnyBlock, Block, Example
from cnnpipe.blocks._fields import Positive
from cnnpipe.blocks._residual_units import Rates, unit_rates
from cnnpipe.blocks._scaling import Scaling
from cnnpipe.graph import GraphBuilder, Tensor


class Stage(Block):
    """A list of blocks, all of it `repeat` times, each time with weights of its own.

    In tables the blocks inside are called `stage.0`, `stage.1` ... or by their names; repeated ones have the number of
    the repetition before that, from 0: `stage.2.0`.

    Output shape: that of the last block.

    Source: the stages of He et al. 2016, table 1.
    """

    examples: ClassVar[tuple[Example, ...]] = (
        {"blocks": ({"type": "conv", "filters": 4}, "max_pooling")},
        {
            "repeat": 2,
            "blocks": ({"type": "conv", "filters": 4, "name": "inner"}, {"type": "stage", "blocks": ("dropout",)}),
        },
        {"repeat": 2, "stochastic_depth": 0.2, "blocks": ({"type": "inverted_residual", "filters": 8},)},
    )

    also_called: ClassVar[tuple[str, ...]] = ("sequential", "repeat", "group", "blocks")
    type: Literal["stage"] = "stage"
    repeat: Positive = 1
    """How many times the blocks stand one after the other."""
    blocks: tuple[AnyBlock, ...] = Field(min_length=1)
    """Blocks in order, each reading the one before."""
    stochastic_depth: Rates | None = None
    """Share of the examples that pass a residual unit by while training: one number, or one for each unit.

    Units are counted through all repetitions. When left out, the blocks say it themselves.
    """

    def ignored_keys(self) -> dict[str, str]:
        """Without residual units there is nothing to pass by."""
        return {} if self.residual_units else {"stochastic_depth": "because no block is made of residual units"}

    @property
    def residual_units(self) -> int:
        """Number of units of all repetitions."""
        return self.repeat * sum(block.residual_units for block in self.blocks)

    def with_stochastic_depth(self, rates: Sequence[float]) -> Self:
        """Return the stage with a rate for each unit."""
        return self.model_copy(update={"stochastic_depth": tuple(rates)})

    def scaled(self, scaling: Scaling) -> Self:
        """Return the stage wider and deeper: its own repetitions where it has some, else those of its blocks."""
        inner = scaling if self.repeat == 1 else replace(scaling, depth=1.0)
        repeat = self.repeat if self.repeat == 1 else scaling.repeats(self.repeat)
        return self.model_copy(update={"repeat": repeat, "blocks": tuple(b.scaled(inner) for b in self.blocks)})

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the nodes of all blocks and return the last output."""
        for repetition, blocks in enumerate(self._repetitions(graph)):
            for number, block in enumerate(blocks):
                label = block.name or str(number)
                with graph.block(("blocks", number), f"{repetition}.{label}" if self.repeat > 1 else label):
                    tensor = block.expand(graph, tensor)
        return tensor

    def _repetitions(self, graph: GraphBuilder) -> Iterator[tuple[Block, ...]]:
        """Yield the blocks of each repetition with the rates of their own units."""
        if self.stochastic_depth is None:
            yield from [self.blocks] * self.repeat
            return
        left = iter(unit_rates(graph, self.stochastic_depth, self.residual_units))
        for _ in range(self.repeat):
            yield tuple(b.with_stochastic_depth(list(itertools.islice(left, b.residual_units))) for b in self.blocks)
