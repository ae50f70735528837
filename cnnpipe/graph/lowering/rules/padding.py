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
    padding = node.keras_layer(shape).config["padding"]
    pairs = pairs_per_axis(padding, len(shape) - 1, "padding")
    numbers = draft.integers(0, 0, *(n for pair in pairs for n in pair), 0, 0)
    return draft.emit("PAD", value, numbers, shape=batched(node.output_shape(shape)), pairs=pairs)


@lowers(Cropping)
def cropping(node: Cropping, draft: Draft, reads: Sequence[Value]) -> Value:
    """STRIDED_SLICE."""
    (value,) = reads
    shape = value.shape[1:]
    pairs = pairs_per_axis(node.cropping, len(shape) - 1, "cropping")
    out = node.output_shape(shape)
    begin = draft.integers(0, *(before for before, _ in pairs), 0)
    end = draft.integers(1, *(before + n for (before, _), n in zip(pairs, out[:-1], strict=True)), 0)
    strides = draft.integers(*(1 for _ in value.shape))
    return draft.emit("STRIDED_SLICE", value, begin, end, strides, shape=batched(out))
