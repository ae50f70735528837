"""Pooling."""

from __future__ import annotations

from collections.abc import Sequence

from cnnpipe.graph.lowering.draft import Draft, Value, batched, lowers
from cnnpipe.graph.nodes.pooling import AveragePooling, GlobalAveragePooling, GlobalMaxPooling, MaxPooling

POOLS = {MaxPooling: "MAX_POOL_2D", AveragePooling: "AVERAGE_POOL_2D"}
REDUCTIONS = {GlobalAveragePooling: "MEAN", GlobalMaxPooling: "REDUCE_MAX"}


@lowers(MaxPooling, AveragePooling)
def pooling(node: MaxPooling | AveragePooling, draft: Draft, reads: Sequence[Value]) -> Value:
    """MAX_POOL_2D or AVERAGE_POOL_2D."""
    (value,) = reads
    if len(value.shape) != 4:
        raise draft.not_predicted(f"pooling in {len(value.shape) - 2}D")
    shape = value.shape[1:]
    window = node.window(shape)
    out = batched(node.output_shape(shape))
    return draft.emit(
        POOLS[type(node)], value, shape=out, kernel=window.kernel, strides=window.strides, padding=node.padding
    )


@lowers(GlobalAveragePooling, GlobalMaxPooling)
def global_pooling(node: GlobalAveragePooling | GlobalMaxPooling, draft: Draft, reads: Sequence[Value]) -> Value:
    """MEAN or REDUCE_MAX over the spatial axes."""
    (value,) = reads
    axes = draft.integers(*range(1, len(value.shape) - 1))
    shape = batched(node.output_shape(value.shape[1:]))
    return draft.emit(REDUCTIONS[type(node)], value, axes, shape=shape, keepdims=node.keepdims)
