"""Pooling."""

from __future__ import annotations

from collections.abc import Sequence

from cnnpipe.graph.lowering.draft import Draft, Value, batched, lowers
from cnnpipe.graph.lowering.flat_maps import as_2d, from_2d, map_shape, windows_2d
from cnnpipe.graph.nodes.pooling import AveragePooling, GlobalAveragePooling, GlobalMaxPooling, MaxPooling

POOLS = {MaxPooling: "MAX_POOL_2D", AveragePooling: "AVERAGE_POOL_2D"}
REDUCTIONS = {GlobalAveragePooling: "MEAN", GlobalMaxPooling: "REDUCE_MAX"}


@lowers(MaxPooling, AveragePooling)
def pooling(node: MaxPooling | AveragePooling, draft: Draft, reads: Sequence[Value]) -> Value:
    """MAX_POOL_2D or AVERAGE_POOL_2D."""
    (value,) = reads
    if len(value.shape) > 4:
        raise draft.not_predicted("pooling in 3D")
    shape = value.shape[1:]
    out = batched(node.output_shape(shape))
    options = windows_2d(node.window(shape)) | {"padding": node.padding}
    flat = draft.emit(POOLS[type(node)], as_2d(draft, value), shape=map_shape(out), **options)
    return from_2d(draft, flat, out)


@lowers(GlobalAveragePooling, GlobalMaxPooling)
def global_pooling(node: GlobalAveragePooling | GlobalMaxPooling, draft: Draft, reads: Sequence[Value]) -> Value:
    """MEAN or REDUCE_MAX over the spatial axes."""
    (value,) = reads
    axes = range(1, len(value.shape) - 1)
    listed = draft.integers(*axes) if len(axes) > 1 else draft.integer(axes[0])
    shape = batched(node.output_shape(value.shape[1:]))
    return draft.emit(REDUCTIONS[type(node)], value, listed, shape=shape, keepdims=node.keepdims)
