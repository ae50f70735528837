"""Nodes that read several tensors."""

from __future__ import annotations

from collections.abc import Sequence

from cnnpipe.graph.lowering.draft import Draft, Value, batched, lowers
from cnnpipe.graph.nodes.merge import Add, Concatenate, Multiply

NAMES = {Add: "ADD", Multiply: "MUL"}


@lowers(Add, Multiply)
def arithmetic(node: Add | Multiply, draft: Draft, reads: Sequence[Value]) -> Value:
    """ADD or MUL of two tensors; of more, one after the other."""
    first, *others = reads
    for other in others:
        shape = batched(node.output_shape(first.shape[1:], other.shape[1:]))
        first = draft.emit(NAMES[type(node)], first, other, shape=shape)
    return first


@lowers(Concatenate)
def concatenate(node: Concatenate, draft: Draft, reads: Sequence[Value]) -> Value:
    """CONCATENATION."""
    shape = batched(node.output_shape(*(read.shape[1:] for read in reads)))
    return draft.emit("CONCATENATION", *reads, shape=shape)
