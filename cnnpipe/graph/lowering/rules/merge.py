"""Nodes that read several tensors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cnnpipe.graph.core import Shape
from cnnpipe.graph.lowering.draft import Draft, Reads, Rule, Value, batched, lowers, splits
from cnnpipe.graph.nodes.merge import Add, Concatenate, Multiply
from cnnpipe.graph.nodes.positions import ConcatenatePositions


@splits(Multiply)
def multiply(node: Multiply, shapes: Sequence[Shape]) -> list[tuple[Rule, Reads]]:
    """MUL of two tensors; of more, one after the other."""
    return [(_product, (~(n - 2) if n > 1 else 0, n)) for n in range(1, len(shapes))] or [(_itself, (0,))]


@splits(Add)
def add(node: Add, shapes: Sequence[Shape]) -> list[tuple[Rule, Reads]]:
    """ADD of two tensors; of more, one after the other. Keras adds what looks like biases as biases."""
    return list(_sums(node, shapes)) or [(_itself, (0,))]


def _sums(node: Add, shapes: Sequence[Shape]) -> Iterator[tuple[Rule, Reads]]:
    sum_shape, first, parts = shapes[0], 0, 0
    for n in range(1, len(shapes)):
        second = n
        if _looks_like_biases(sum_shape, shapes[n]):
            yield _as_biases, (n,)
            second, parts = ~parts, parts + 1
        yield _sum, (first, second)
        first, parts = ~parts, parts + 1
        sum_shape = node.output_shape(sum_shape, shapes[n])


def _looks_like_biases(first: Shape, second: Shape) -> bool:
    """Return whether a tensor has one axis above 1, the batch not counted, and that is as long as the channels."""
    return [size for size in second if size > 1] == [first[-1]]


def _product(node: Multiply, draft: Draft, reads: Sequence[Value]) -> Value:
    return draft.emit("MUL", *reads, shape=batched(node.output_shape(*(read.shape[1:] for read in reads))))


def _sum(node: Add, draft: Draft, reads: Sequence[Value]) -> Value:
    first, second = reads
    if len(second.shape) == 1:
        return draft.emit("ADD", first, second)
    if first.shape[1] in second.shape and [size for size in second.shape if size > 1] == [first.shape[1]]:
        raise draft.not_predicted("adding what looks like biases of another axis")
    return draft.emit("ADD", first, second, shape=batched(node.output_shape(first.shape[1:], second.shape[1:])))


def _as_biases(node: Add, draft: Draft, reads: Sequence[Value]) -> Value:
    channels = reads[0].shape[-1]
    return draft.emit("RESHAPE", reads[0], draft.integers(channels), shape=(channels,))


def _itself(node: Add | Multiply, draft: Draft, reads: Sequence[Value]) -> Value:
    return reads[0]


@lowers(Concatenate, ConcatenatePositions)
def concatenate(node: Concatenate | ConcatenatePositions, draft: Draft, reads: Sequence[Value]) -> Value:
    """CONCATENATION."""
    shape = batched(node.output_shape(*(read.shape[1:] for read in reads)))
    return draft.emit("CONCATENATION", *reads, shape=shape)
