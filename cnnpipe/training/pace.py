"""How many steps TensorFlow takes per call: small networks spend more time between steps than in them."""

from __future__ import annotations

import math
from collections.abc import Mapping
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


def choose_pace(graphs: Mapping[str, Graph], examples: int, batch_size: int) -> Pace:
    """Return the pace for a training split of so many examples. A function of the recipe, never of the machine's load.

    An epoch is at least one pass over the examples: batches may span two passes, so its last batch is never short.
    """
    steps = math.ceil(examples / batch_size)
    macs = sum(graph.macs(node) for graph in graphs.values() for node in graph.nodes) * batch_size
    limit = max(1, min(steps, MOST_STEPS, MACS_PER_EXECUTION // max(macs, 1)))
    together = max(k for k in range(1, limit + 1) if -steps % k <= ROUNDING * steps)
    return Pace(steps + -steps % together, together)
