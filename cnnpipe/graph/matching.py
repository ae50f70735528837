"""Which nodes of two graphs compute the same: both are walked from their inputs, whatever the orders of their nodes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnnpipe.graph.core import Graph, Node
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.graph.nodes.dropout import Dropout, StochasticDepth
from cnnpipe.graph.nodes.merge import Add, Multiply
from cnnpipe.graph.nodes.padding import ZeroPadding, pairs_per_axis
from cnnpipe.graph.same_padding import with_same_padding

IGNORED = frozenset({"kernel_initializer", "depthwise_initializer", "momentum"})
"""Options that change nothing of what trained weights compute."""
SAME = {"swish": "silu", "hard_swish": "hard_silu"}
"""Activations with two names."""

_Signature = tuple[Any, ...]
"""What a node does: class of its Keras layer, options, number of inputs, shape of the output."""


@dataclass(eq=False)
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


@dataclass(frozen=True)
class _Network:
    """What computes something on the way to an end, in graph order.

    Args:
        signatures: What each node does, by its position.
        reads: What each node reads, past nodes that change no value.
        commutes: Nodes whose inputs may stand in any order.
        after: A number that is the same for nodes with the same work after them.
    """

    signatures: Mapping[int, _Signature]
    reads: Mapping[int, tuple[int, ...]]
    commutes: frozenset[int]
    after: Mapping[int, int]


def matched(ours: Graph, theirs: Graph, our_end: int, their_end: int, our_start: int = 0) -> dict[int, int]:
    """Return the position in `theirs` of every node of `ours` that `our_end` depends on and that computes.

    No two nodes have the same one. Sums and products may read their inputs in any order. Dropout and linear
    activations, which change no value, may stand anywhere. Of branches that are equal and lead to the same, any may be
    any.

    Args:
        ours: A graph.
        theirs: Another one.
        our_end: Position of a node.
        their_end: Position of the node that must compute the same.
        our_start: Position of the node that stands for the input of `theirs`.

    Raises:
        Difference: They do not; names the nodes nearest to the input where that shows.
    """
    ours, theirs = with_same_padding(ours), with_same_padding(theirs)
    mine, other = _network(ours, our_end, our_start), _network(theirs, their_end, 0)
    free: dict[tuple[_Signature, tuple[int, ...]], list[int]] = defaultdict(list)
    for position, reads in other.reads.items():
        free[other.signatures[position], _sorted(other, position, reads)].append(position)
    pairs: dict[int, int] = {}
    for position, signature in mine.signatures.items():
        reads = _sorted(mine, position, [pairs[read] for read in mine.reads[position]])
        candidates = free[signature, reads]
        if not candidates:
            raise _difference(mine, other, position, reads, set(pairs.values()))
        alike = (one for one in candidates if other.after[one] == mine.after[position])
        pairs[position] = next(alike, candidates[0])
        candidates.remove(pairs[position])
    our_last, their_last = _computing(ours, our_end), _computing(theirs, their_end)
    if pairs[our_last] != their_last:
        raise Difference(our_last, their_last, f"more follows: {_told(other.signatures[their_last])}")
    return pairs


def _network(graph: Graph, end: int, start: int) -> _Network:
    found, waiting = dict[int, tuple[int, ...]](), [_computing(graph, end)]
    while waiting:
        position = waiting.pop()
        if position not in found:
            inputs = graph.nodes[position].inputs if position != start else ()
            found[position] = tuple(_computing(graph, read) for read in inputs)
            waiting += found[position]
    reads = dict(sorted(found.items()))
    signatures = {one: _signature(graph, graph.nodes[one]) if one != start else _start(graph, one) for one in reads}
    commutes = frozenset(one for one in reads if isinstance(graph.nodes[one].type, Add | Multiply))
    return _Network(signatures, reads, commutes, _after(signatures, reads, commutes))


def _after(
    signatures: Mapping[int, _Signature], reads: Mapping[int, tuple[int, ...]], commutes: frozenset[int]
) -> dict[int, int]:
    """Return the marks of all that follows each node, with what is read beside it."""
    before: dict[int, int] = {}
    for position, read in reads.items():
        marks = [before[one] for one in read]
        before[position] = hash((signatures[position], tuple(sorted(marks) if position in commutes else marks)))
    found: dict[int, int] = {}
    readers: dict[int, list[int]] = defaultdict(list)
    for position in reversed(list(reads)):
        found[position] = hash(tuple(sorted(readers[position])))
        for number, one in enumerate(reads[position]):
            readers[one].append(hash((before[position], found[position], position not in commutes and number)))
    return found


def _sorted(network: _Network, position: int, reads: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted(reads) if position in network.commutes else reads)


def _difference(mine: _Network, other: _Network, position: int, reads: tuple[int, ...], taken: set[int]) -> Difference:
    """Return what to say of a node that has no counterpart: what the other graph has in its place."""
    signature = mine.signatures[position]

    def likeness(one: int) -> tuple[bool, ...]:
        same = (a == b for a, b in zip(signature, other.signatures[one], strict=True))
        return (_sorted(other, one, other.reads[one]) == reads, *same)

    near = [one for one, read in other.reads.items() if one not in taken and (not reads or set(read) & set(reads))]
    if not near:
        return Difference(position, max(reads, default=0), f"nothing follows like {_told(signature)}")
    there = max(near, key=likeness)
    return Difference(position, there, _compared(signature, other.signatures[there]))


def _compared(one: _Signature, other: _Signature) -> str:
    if one == other:
        return f"the inputs of {_told(one)} come from other layers"
    if one[0] != other[0]:
        return f"{_told(one)} is not {_told(other)}"
    ours, theirs = (dict(signature[1]) for signature in (one, other))
    keys = [key for key in {**ours, **theirs} if ours.get(key) != theirs.get(key)]
    if not keys:
        return f"{_told(one)} is not {_told(other)}"
    told = (f"{key} {ours.get(key, 'its default')} in the place of {theirs.get(key, 'its default')}" for key in keys)
    return f"{one[0]} with {', '.join(told)}"


def _told(signature: _Signature) -> str:
    return f"{signature[0]} of {signature[3]}"


def _computing(graph: Graph, position: int) -> int:
    """Return the position, or where the value comes from when nothing is done to it there."""
    while _is_transparent(graph.nodes[position]):
        (position,) = graph.nodes[position].inputs
    return position


def _is_transparent(node: Node) -> bool:
    return isinstance(node.type, Dropout | StochasticDepth) or node.type == Activation("linear")


def _start(graph: Graph, position: int) -> _Signature:
    return "input", (), 0, graph.nodes[position].shape


def _signature(graph: Graph, node: Node) -> _Signature:
    """Return what a node does, without what only matters before or while training."""
    layer = node.type.keras_layer(*graph.input_shapes(node))
    options = {**layer.config, **_written_one_way(node)}
    config = sorted((key, repr(value)) for key, value in options.items() if key not in IGNORED)
    return layer.class_name, tuple(config), len(node.inputs), node.shape


def _written_one_way(node: Node) -> Mapping[str, Any]:
    """Return options that have several spellings, in one: names, zeros at each side, the padding of a 1x1."""
    if isinstance(node.type, Activation):
        return {"activation": SAME.get(node.type.activation, node.type.activation)}
    if isinstance(node.type, ZeroPadding):
        return {"padding": pairs_per_axis(node.type.padding, len(node.shape) - 1, "padding")}
    return {"padding": "valid"} if isinstance(node.type, Convolution) and node.type.kernel_size == 1 else {}
