"""Which nodes of two graphs compute the same: the graphs are walked from their ends, whatever their orders are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnnpipe.graph.core import Graph, Node
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.dropout import Dropout, StochasticDepth
from cnnpipe.graph.nodes.merge import Add, Multiply

IGNORED = frozenset({"kernel_initializer", "depthwise_initializer", "momentum"})
"""Options that change nothing of what trained weights compute."""


@dataclass(frozen=True)
class Difference(Exception):
    """Two nodes that should compute the same and do not.

    Args:
        ours: Position in the one graph.
        theirs: Position in the other.
        message: What differs.
    """

    ours: int
    theirs: int
    message: str


def matched(ours: Graph, theirs: Graph, our_end: int, their_end: int, our_start: int = 0) -> dict[int, int]:
    """Return the position in `theirs` of every node of `ours` that `our_end` depends on and that computes.

    Sums and products may read their inputs in any order. Dropout and linear activations, which change no value, may
    stand anywhere.

    Args:
        ours: A graph.
        theirs: Another one.
        our_end: Position of a node.
        their_end: Position of the node that must compute the same.
        our_start: Position of the node that stands for the input of `theirs`.

    Raises:
        Difference: They do not; names the nodes furthest from the input where that shows.
    """
    marks = _fingerprints(ours, our_start), _fingerprints(theirs, 0)
    pairs: dict[int, int] = {}
    waiting = [(our_end, their_end)]
    while waiting:
        one, other = (_computing(graph, end) for graph, end in zip((ours, theirs), waiting.pop(), strict=True))
        if one in pairs and pairs[one] == other:
            continue
        if one == our_start and other == 0:
            pairs[one] = other
            continue
        node, counterpart = ours.nodes[one], theirs.nodes[other]
        if _signature(ours, node) != _signature(theirs, counterpart):
            raise Difference(one, other, f"{_signature(ours, node)} is not {_signature(theirs, counterpart)}")
        pairs[one] = other
        waiting += zip(node.inputs, _in_our_order(node, counterpart, *marks), strict=True)
    return pairs


def _in_our_order(
    node: Node, counterpart: Node, our_marks: Mapping[int, int], their_marks: Mapping[int, int]
) -> list[int]:
    """Return the inputs of a node in the order in which the other graph's node reads the same."""
    if not isinstance(node.type, Add | Multiply):
        return list(counterpart.inputs)
    left = list(counterpart.inputs)
    found = []
    for position in node.inputs:
        same = [other for other in left if their_marks[other] == our_marks[position]]
        found.append((same or left)[0])
        left.remove(found[-1])
    return found


def _fingerprints(graph: Graph, start: int) -> dict[int, int]:
    """Return a number for each node that is the same for nodes that compute the same."""
    found: dict[int, int] = {}
    for position, node in enumerate(graph.nodes):
        read = [found[other] for other in node.inputs]
        inputs = sorted(read) if isinstance(node.type, Add | Multiply) else read
        mark = hash((_signature(graph, node), tuple(inputs))) if position != start else hash(node.shape)
        found[position] = found[node.inputs[0]] if _is_transparent(node) else mark
    return found


def _computing(graph: Graph, position: int) -> int:
    """Return the position, or where the value comes from when nothing is done to it there."""
    while _is_transparent(graph.nodes[position]):
        (position,) = graph.nodes[position].inputs
    return position


def _is_transparent(node: Node) -> bool:
    return isinstance(node.type, Dropout | StochasticDepth) or node.type == Activation("linear")


def _signature(graph: Graph, node: Node) -> tuple[Any, ...]:
    """Return what a node does, without what only matters before or while training."""
    layer = node.type.keras_layer(*graph.input_shapes(node))
    config = sorted((key, repr(value)) for key, value in layer.config.items() if key not in IGNORED)
    return layer.class_name, tuple(config), len(node.inputs), node.shape
