"""Where a network with frozen layers can be cut, so that the first part need not run in every epoch."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from cnnpipe.graph import Graph, Node
from cnnpipe.graph.nodes.input import Input
from cnnpipe.graph.nodes.normalization import BatchNormalization
from cnnpipe.recipe.schema import Phase

BACKBONE = "model.backbone"
"""Recipe path of the nodes that a phase can freeze."""
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


def frozen_nodes(graph: Graph, phase: Phase) -> frozenset[int]:
    """Return the positions of all nodes of the backbone whose weights, if they have any, stay as they are.

    These are its nodes up to what `freeze` names, and unless the phase trains them all BatchNorm nodes of the rest. All
    of them work as in inference.

    Raises:
        KeyError: The graph has no feature map of the level that `freeze` names.
    """
    backbone = {number for number, node in enumerate(graph.nodes) if _within(node.path)}
    found = set[int]()
    if phase.freeze == "backbone":
        found |= backbone
    elif phase.freeze != "none":
        found |= backbone & ancestors(graph, [graph.features[phase.freeze]])
    if phase.batch_normalization == "inference":
        found |= {number for number in backbone if isinstance(graph.nodes[number].type, BatchNormalization)}
    return frozenset(found)


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


def ancestors(graph: Graph, positions: Iterable[int]) -> frozenset[int]:
    """Return these nodes and all that they depend on."""
    found, waiting = set[int](), list(positions)
    while waiting:
        position = waiting.pop()
        if position not in found:
            found.add(position)
            waiting += graph.nodes[position].inputs
    return frozenset(found)


def _within(path: str) -> bool:
    return path == BACKBONE or path.startswith(f"{BACKBONE}.")


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
