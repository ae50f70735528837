"""Padding and cropping."""

from __future__ import annotations

from collections.abc import Sequence

from cnnpipe.graph.lowering.draft import Draft, Value, batched, lowers
from cnnpipe.graph.nodes.padding import CenteredPadding, Cropping, ZeroPadding, pairs_per_axis


@lowers(ZeroPadding, CenteredPadding)
def zero_padding(node: ZeroPadding | CenteredPadding, draft: Draft, reads: Sequence[Value]) -> Value:
    """PAD."""
    (value,) = reads
    shape = value.shape[1:]
    rank = len(shape) - 1
    padding = node.keras_layer(shape).config["padding"]
    flat = rank == 1 and isinstance(padding, tuple)
    pairs = pairs_per_axis((padding,) if flat else padding, rank, "padding")
    table = draft.table((0, 0), *pairs, (0, 0))
    return draft.emit("PAD", value, table, shape=batched(node.output_shape(shape)), pairs=pairs)


@lowers(Cropping)
def cropping(node: Cropping, draft: Draft, reads: Sequence[Value]) -> Value:
    """STRIDED_SLICE."""
    (value,) = reads
    shape = value.shape[1:]
    pairs = pairs_per_axis(node.cropping, len(shape) - 1, "cropping")
    out = node.output_shape(shape)
    begin = draft.integers(0, *(before for before, _ in pairs), 0)
    end = draft.integers(0, *(-after for _, after in pairs), 0)
    strides = draft.integers(*(1 for _ in value.shape))
    return draft.emit("STRIDED_SLICE", value, begin, end, strides, shape=batched(out))
