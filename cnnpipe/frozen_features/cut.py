"""Where a network with frozen layers can be cut, so that the first part need not run in every epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from cnnpipe.graph import Graph, Node
from cnnpipe.graph.nodes.input import Input
from cnnpipe.recipe.phases import ancestors

WORTH = 0.1
"""The first part must have at least this share of the multiply-adds of a forward pass."""


@dataclass(frozen=True)
class Cut:
    """A network in two parts that share one tensor.

    Args:
        position: The node whose output is that tensor.
        before: The first part, up to this node; its only output is called like the network's input.
        after: The rest, with an input in the place of this node that is called like the network's input.
    """

    position: int
    before: Graph
    after: Graph


def best_cut(graph: Graph, frozen: frozenset[int]) -> Cut | None:
    """Return the cut that leaves the least work to each epoch, of equal ones the smallest tensor, then the latest.

    Everything before a cut is a fixed function of the input: frozen nodes, which work as in inference, and nodes
    without weights and without random numbers. One tensor crosses it. None when there is no such cut, or when the part
    before it is hardly any work.

    Args:
        graph: A network with one input.
        frozen: What `frozen_nodes` returned.
    """
    fixed = _fixed(graph, frozen)
    needed = ancestors(graph, graph.outputs.values())
    macs = [graph.macs(node) if number in needed else 0 for number, node in enumerate(graph.nodes)]
    found = [
        (sum(macs) - sum(macs[number] for number in before), math.prod(graph.nodes[position].shape), -position, before)
        for position in sorted(fixed & needed)
        if _separates(graph, needed, position, before := ancestors(graph, [position]))
    ]
    if len(graph.inputs) != 1 or not found:
        return None
    left, _, position, before = min(found, key=lambda one: one[:3])
    return _divided(graph, needed, -position, before) if sum(macs) - left >= WORTH * sum(macs) > 0 else None


def _fixed(graph: Graph, frozen: frozenset[int]) -> frozenset[int]:
    found = set[int]()
    for position, node in enumerate(graph.nodes):
        free = node.type.random or graph.parameters(node) > 0
        if found.issuperset(node.inputs) and (position in frozen or not free):
            found.add(position)
    return frozenset(found)


def _separates(graph: Graph, needed: frozenset[int], position: int, before: frozenset[int]) -> bool:
    """Whether nothing after the node reads what lies before it, and no output of the network lies there."""
    read = {number for after in needed - before for number in graph.nodes[after].inputs}
    return not before & set(graph.outputs.values()) and read & before == {position}


def _divided(graph: Graph, needed: frozenset[int], position: int, before: frozenset[int]) -> Cut:
    (tensor,) = graph.inputs
    kept = [position, *sorted(needed - before)]
    place = {number: new for new, number in enumerate(kept)}
    entrance = replace(graph.nodes[position], type=Input(graph.nodes[position].shape), inputs=())
    rest = [entrance if n == position else _moved(graph, n, place) for n in kept]
    after = Graph(tuple(rest), {tensor: place[position]}, {name: place[end] for name, end in graph.outputs.items()})
    kept = sorted(before)
    place = {number: new for new, number in enumerate(kept)}
    first = tuple(_moved(graph, number, place) for number in kept)
    inputs = {name: place[start] for name, start in graph.inputs.items()}
    return Cut(position, Graph(first, inputs, {tensor: place[position]}), after)


def _moved(graph: Graph, number: int, place: dict[int, int]) -> Node:
    node = graph.nodes[number]
    return replace(node, inputs=tuple(place[source] for source in node.inputs))
