"""Normalization and rescaling: factors and offsets of channels."""

from __future__ import annotations

from collections.abc import Sequence

from cnnpipe.graph.core import NodeType
from cnnpipe.graph.lowering.draft import Draft, Value, lowers
from cnnpipe.graph.nodes.normalization import BatchNormalization
from cnnpipe.graph.nodes.rescaling import Normalization, Rescaling


@lowers(BatchNormalization)
def batch_normalization(node: BatchNormalization, draft: Draft, reads: Sequence[Value]) -> Value:
    """MUL and ADD with a number per channel."""
    channels, name = reads[0].shape[-1:], draft.node.name
    scaled = draft.emit("MUL", reads[0], draft.numbers(channels, name, "scale"))
    return draft.emit("ADD", scaled, draft.numbers(channels, name, "offset"))


@lowers(Rescaling)
def rescaling(node: Rescaling, draft: Draft, reads: Sequence[Value]) -> Value:
    """MUL and ADD; what changes nothing is left out."""
    (value,) = reads
    if node.scale != 1:
        value = draft.emit("MUL", value, draft.numbers(_shape(node.scale), node.scale))
    if node.offset != 0:
        value = draft.emit("ADD", value, draft.numbers(_shape(node.offset), node.offset))
    return value


@lowers(Normalization)
def normalization(node: NodeType, draft: Draft, reads: Sequence[Value]) -> Value:
    """SUB and MUL with a number per channel."""
    shape, name = (*(1 for _ in reads[0].shape[:-1]), reads[0].shape[-1]), draft.node.name
    moved = draft.emit("SUB", reads[0], draft.numbers(shape, name, "mean"))
    return draft.emit("MUL", moved, draft.numbers(shape, name, "scale"))


def _shape(value: float | tuple[float, ...]) -> tuple[int, ...]:
    return (len(value),) if isinstance(value, tuple) else ()
