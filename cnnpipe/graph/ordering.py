"""Other orders of the same operators, by other names: the converter sorts by them, so they move bytes of the arena."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace

from cnnpipe.graph.core import Graph, Node

TRIES, WORK = 300, 20_000
"""How many orders are tried, and how many nodes may be looked at in all of them together."""
_PREFIX = re.compile(r"^o\d+_")


def original_name(name: str) -> str:
    """Return a node's name without the number that `best_order` put before it."""
    return _PREFIX.sub("", name)


def branches(graph: Graph) -> bool:
    """Return whether there is more than one order at all: whether nodes share what they read."""
    read = [position for node in graph.nodes for position in set(node.inputs)]
    return len(read) > len(set(read))


def best_order(graph: Graph, cost: Callable[[Graph], int], seed: int = 0) -> Graph:
    """Return the graph with the names, of some hundred at random, that cost least; itself when none costs less.

    Every name begins with a number of its own then, as in `o007_n012_convolution`, and only names differ.

    Args:
        graph: The network.
        cost: What is to become small, such as bytes of the arena.
        seed: Decides which orders are tried.
    """
    generator = random.Random(seed)  # noqa: S311
    tries = [_numbered(graph, generator) for _ in range(min(TRIES, WORK // len(graph.nodes)))]
    return min([graph, *tries], key=cost) if branches(graph) else graph


def _numbered(graph: Graph, generator: random.Random) -> Graph:
    count = len(graph.nodes)
    width = len(str(count))

    def named(node: Node, number: int) -> Node:
        return replace(node, name=f"o{number:0{width}d}_{node.name}")

    numbers = generator.sample(range(count), count)
    return replace(graph, nodes=tuple(map(named, graph.nodes, numbers)))
