"""How many steps TensorFlow takes per call: small networks spend more time between steps than in them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from cnnpipe.graph import Graph

MACS_PER_EXECUTION = 2_000_000_000
"""Multiply-adds of forward passes per call, about half a second on two cores: Ctrl-C and progress wait for no more."""
MOST_STEPS = 64
ROUNDING = 0.05
"""By how much an epoch may grow so that calls come out even."""


@dataclass(frozen=True)
class Pace:
    """How steps are grouped.

    Args:
        steps_per_epoch: A multiple of `steps_per_execution`.
        steps_per_execution: Steps in one call of TensorFlow.
    """

    steps_per_epoch: int
    steps_per_execution: int


def choose_pace(
    graphs: Iterable[Graph], examples: int, batch_size: int, accumulation: int = 1, phased: bool = False
) -> Pace:
    """Return the pace for a training split of so many examples. A function of the recipe, never of the machine's load.

    An epoch is at least one pass over the examples: batches may span two passes, so its last batch is never short. It
    is a whole number of updates where gradients are accumulated.

    Args:
        graphs: What is run in every step.
        examples: Size of the training split.
        batch_size: Examples per step.
        accumulation: Steps per update of the weights.
        phased: Whether epochs must be equally long whatever is run in a step: with features of frozen layers, a phase
            ends with the weights that it would have without them.
    """
    steps = math.ceil(examples / batch_size)
    steps += -steps % accumulation
    macs = sum(graph.macs(node) for graph in graphs for node in graph.nodes) * batch_size
    limit = max(1, min(steps, MOST_STEPS, MACS_PER_EXECUTION // max(macs, 1)))
    longest = min(steps, MOST_STEPS) if phased else limit
    extra = [-steps % math.lcm(together, accumulation) for together in range(1, longest + 1)]
    together = max(k for k, more in enumerate(extra, start=1) if more <= ROUNDING * steps)
    whole = steps + extra[together - 1]
    return Pace(whole, max(k for k in range(1, limit + 1) if whole % k == 0))
