"""Convolutions in 1D and 2D."""

from __future__ import annotations

from collections.abc import Sequence

from cnnpipe.graph.arithmetic import per_axis
from cnnpipe.graph.lowering.draft import Draft, Value, batched, lowers
from cnnpipe.graph.lowering.flat_maps import as_2d, from_2d, windows_2d
from cnnpipe.graph.nodes.convolution import Convolution, DepthwiseConvolution
from cnnpipe.graph.nodes.rescaling import ChannelScale


@lowers(Convolution)
def convolution(node: Convolution, draft: Draft, reads: Sequence[Value]) -> Value:
    """CONV_2D, in groups too, with biases in any case; `causal` is PAD before it."""
    (value,) = reads
    if len(value.shape) > 4:
        raise draft.not_predicted("convolution in 3D")
    kernel = node.window(value.shape[1:]).kernel
    macs, out = node.macs(value.shape[1:]), batched(node.output_shape(value.shape[1:]))
    if node.padding == "causal":
        before = per_axis(node.dilation_rate, 1, "dilation_rate")[0] * (kernel[0] - 1)
        shape = (1, value.shape[1] + before, value.shape[2])
        value = draft.emit("PAD", value, draft.table((0, 0), (before, 0), (0, 0)), shape=shape, pairs=((before, 0),))
    weights = (node.filters, *(1,) * (4 - len(value.shape)), *kernel, value.shape[-1] // node.groups)
    return _convolution(node, draft, value, "CONV_2D", weights, out, macs)


@lowers(DepthwiseConvolution, ChannelScale)
def depthwise_convolution(node: DepthwiseConvolution | ChannelScale, draft: Draft, reads: Sequence[Value]) -> Value:
    """DEPTHWISE_CONV_2D, with biases in any case."""
    (value,) = reads
    shape = value.shape[1:]
    out = batched(node.output_shape(shape))
    kernel = tuple(node.weights(shape)["kernel"][:-2])
    weights = (1, *(1,) * (4 - len(value.shape)), *kernel, out[-1])
    return _convolution(node, draft, value, "DEPTHWISE_CONV_2D", weights, out, node.macs(shape))


def _convolution(
    node: Convolution | DepthwiseConvolution | ChannelScale,
    draft: Draft,
    value: Value,
    name: str,
    weights: tuple[int, ...],
    out: tuple[int, ...],
    macs: int,
) -> Value:
    window = node.window(value.shape[1:])
    assert window is not None  # noqa: S101
    padding = getattr(node, "padding", "valid")
    kernel, bias = draft.weights(weights, out[-1]), draft.bias(out[-1])
    options = windows_2d(window) | {"padding": "same" if padding == "same" else "valid"}
    flat = draft.emit(name, as_2d(draft, value), kernel, bias, shape=_four(out), macs=macs, **options)
    return from_2d(draft, flat, out)


def _four(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (1, *(1,) * (4 - len(shape)), *shape[1:])
