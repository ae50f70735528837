"""Larger and smaller maps."""

from __future__ import annotations

from collections.abc import Sequence

from cnnpipe.graph.arithmetic import per_axis
from cnnpipe.graph.lowering.draft import Draft, Value, batched, lowers
from cnnpipe.graph.lowering.flat_maps import as_2d, from_2d, map_shape
from cnnpipe.graph.nodes.resize import Resizing, TransposedConvolution, Upsampling

RESIZES = {"bilinear": "RESIZE_BILINEAR", "nearest": "RESIZE_NEAREST_NEIGHBOR"}


@lowers(Resizing, Upsampling)
def resizing(node: Resizing | Upsampling, draft: Draft, reads: Sequence[Value]) -> Value:
    """RESIZE_BILINEAR or RESIZE_NEAREST_NEIGHBOR; in 1D TILE between two RESHAPE."""
    (value,) = reads
    if len(value.shape) == 3:
        return _repeated(draft, value, per_axis(node.size, 1, "size")[0])
    if len(value.shape) > 4:
        raise draft.not_predicted("enlarging in 3D")
    out = node.output_shape(value.shape[1:])
    return draft.emit(RESIZES[node.interpolation], value, draft.integers(*out[:-1]), shape=batched(out))


def _repeated(draft: Draft, value: Value, factor: int) -> Value:
    _, length, channels = value.shape
    apart, out = (1, length, 1, channels), (1, length * factor, channels)
    split = draft.emit("RESHAPE", value, draft.integers(*apart), shape=apart)
    tiled = draft.emit("TILE", split, draft.integers(1, 1, factor, 1), shape=(1, length, factor, channels))
    return draft.emit("RESHAPE", tiled, draft.integers(*out), shape=out)


@lowers(TransposedConvolution)
def transposed_convolution(node: TransposedConvolution, draft: Draft, reads: Sequence[Value]) -> Value:
    """TRANSPOSE_CONV, which reads the shape of its output first."""
    (value,) = reads
    if len(value.shape) > 4:
        raise draft.not_predicted("transposed convolution in 3D")
    shape = value.shape[1:]
    out = batched(node.output_shape(shape))
    large = map_shape(out)
    kernel = (node.filters, *(1,) * (3 - len(shape)), *node.weights(shape)["kernel"][:-2], shape[-1])
    weights, bias = draft.weights(kernel, node.filters), [draft.bias(node.filters)] * node.use_bias
    size, flat = draft.integers(*large), as_2d(draft, value)
    enlarged = draft.emit("TRANSPOSE_CONV", size, weights, flat, *bias, shape=large, macs=node.macs(shape))
    return from_2d(draft, enlarged, out)
