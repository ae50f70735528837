"""Larger and smaller maps."""

from __future__ import annotations

from collections.abc import Sequence

from cnnpipe.graph.arithmetic import per_axis
from cnnpipe.graph.lowering.draft import Draft, Value, batched, lowers
from cnnpipe.graph.nodes.resize import Resizing, TransposedConvolution, Upsampling

RESIZES = {"bilinear": "RESIZE_BILINEAR", "nearest": "RESIZE_NEAREST_NEIGHBOR"}


@lowers(Resizing, Upsampling)
def resizing(node: Resizing | Upsampling, draft: Draft, reads: Sequence[Value]) -> Value:
    """RESIZE_BILINEAR or RESIZE_NEAREST_NEIGHBOR."""
    (value,) = reads
    if len(value.shape) != 4:
        raise draft.not_predicted(f"enlarging in {len(value.shape) - 2}D")
    out = node.output_shape(value.shape[1:])
    return draft.emit(RESIZES[node.interpolation], value, draft.integers(*out[:-1]), shape=batched(out))


@lowers(TransposedConvolution)
def transposed_convolution(node: TransposedConvolution, draft: Draft, reads: Sequence[Value]) -> Value:
    """TRANSPOSE_CONV, which reads the shape of its output first."""
    (value,) = reads
    if len(value.shape) != 4:
        raise draft.not_predicted(f"transposed convolution in {len(value.shape) - 2}D")
    shape = value.shape[1:]
    out = batched(node.output_shape(shape))
    kernel = (node.filters, *per_axis(node.kernel_size, 2, "kernel_size"), shape[-1])
    weights, bias = draft.weights(kernel, node.filters), draft.bias(node.filters)
    return draft.emit("TRANSPOSE_CONV", draft.integers(*out), weights, value, bias, shape=out, macs=node.macs(shape))
