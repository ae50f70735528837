"""What blocks share that are residual units, one after the other."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Annotated

from pydantic import Field
from typing_extensions import Self

from cnnpipe.blocks import Block
from cnnpipe.blocks._fields import Positive, Rate, Sizes
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.arithmetic import Size
from cnnpipe.graph.nodes.dropout import StochasticDepth
from cnnpipe.graph.nodes.merge import Add

Rates = Rate | Annotated[tuple[Rate, ...], Field(min_length=1)]
"""One rate for all residual units, or one for each."""


class ResidualUnits(Block):
    """Base of blocks of `repeat` units, each of which adds what it computes to what it reads."""

    repeat: Positive = 1
    """Number of units, one after the other."""
    stochastic_depth: Rates = 0.0
    """Share of the examples that pass a unit by while training: one number, or one for each unit."""

    @property
    def residual_units(self) -> int:
        """Number of units."""
        return self.repeat

    def with_stochastic_depth(self, rates: Sequence[float]) -> Self:
        """Return the block with a rate for each unit."""
        return self.model_copy(update={"stochastic_depth": tuple(rates)})

    def rates(self, graph: GraphBuilder) -> tuple[float, ...]:
        """Return the rate of each unit. Raises `ProblemError` when there are rates for another number of units."""
        return unit_rates(graph, self.stochastic_depth, self.repeat)


class StridedUnits(ResidualUnits):
    """Base of those whose first unit may make the map smaller."""

    strides: Sizes = 1
    """How much smaller the output is; with `repeat`, what the first unit has."""

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the nodes of all units and return the last output; in tables they are called `block.0`, `block.1` ..."""
        for number, rate in enumerate(self.rates(graph)):
            with graph.block((), str(number)) if self.repeat > 1 else nullcontext():
                tensor = self.unit(graph, tensor, self.strides if number == 0 else 1, rate)
        return tensor

    @abstractmethod
    def unit(self, graph: GraphBuilder, tensor: Tensor, strides: Size, rate: float) -> Tensor:
        """Add the nodes of one unit, which this share of the examples passes by while training."""


def unit_rates(graph: GraphBuilder, given: Rates, units: int) -> tuple[float, ...]:
    """Return a rate for each of so many units.

    Raises:
        ProblemError: There are rates for another number of units; it stands at the line of the current block.
    """
    rates = given if isinstance(given, tuple) else (given,) * units
    if len(rates) != units:
        raise graph.problem(
            f"stochastic_depth has {len(rates)} rates for {units} units", "Give one rate, or one for each unit."
        )
    return rates


def added(graph: GraphBuilder, branch: Tensor, shortcut: Tensor, rate: float) -> Tensor:
    """Add a branch, which a share of the examples passes by while training, to its shortcut."""
    return graph.add(Add(), graph.add(StochasticDepth(rate), branch) if rate else branch, shortcut)
