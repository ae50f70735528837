"""Convolutions in 1D and 2D."""

from __future__ import annotations

from collections.abc import Sequence

from cnnpipe.graph.core import Shape, Window
from cnnpipe.graph.lowering.draft import Draft, Value, batched, lowers
from cnnpipe.graph.lowering.flat_maps import as_2d, from_2d, map_shape, windows_2d
from cnnpipe.graph.nodes.convolution import Convolution, DepthwiseConvolution
from cnnpipe.graph.nodes.rescaling import ChannelScale


@lowers(Convolution)
def convolution(node: Convolution, draft: Draft, reads: Sequence[Value]) -> Value:
    """CONV_2D, in groups too, with biases in any case; `causal` is PAD before it."""
    (value,) = reads
    if len(value.shape) > 4:
        raise draft.not_predicted("convolution in 3D")
    window, out, macs = node.window(value.shape[1:]), node.output_shape(value.shape[1:]), node.macs(value.shape[1:])
    if node.padding == "causal":
        before = window.dilation[0] * (window.kernel[0] - 1)
        shape = (1, value.shape[1] + before, value.shape[2])
        value = draft.emit("PAD", value, draft.table((0, 0), (before, 0), (0, 0)), shape=shape, pairs=((before, 0),))
    weights = (node.filters, *_flat(window), *window.kernel, value.shape[-1] // node.groups)
    padding = "same" if node.padding == "same" else "valid"
    return _convolution("CONV_2D", draft, value, weights, window, padding=padding, out=batched(out), macs=macs)


@lowers(DepthwiseConvolution)
def depthwise_convolution(node: DepthwiseConvolution, draft: Draft, reads: Sequence[Value]) -> Value:
    """DEPTHWISE_CONV_2D, with biases in any case."""
    shape = reads[0].shape[1:]
    window, out = node.window(shape), batched(node.output_shape(shape))
    weights, macs = (1, *_flat(window), *window.kernel, out[-1]), node.macs(shape)
    return _convolution("DEPTHWISE_CONV_2D", draft, reads[0], weights, window, padding=node.padding, out=out, macs=macs)


@lowers(ChannelScale)
def channel_scale(node: ChannelScale, draft: Draft, reads: Sequence[Value]) -> Value:
    """DEPTHWISE_CONV_2D with a window of one value, with biases in any case."""
    (value,) = reads
    one, weights = Window((1, 1), (1, 1), (1, 1)), (1, 1, 1, value.shape[-1])
    macs = node.macs(value.shape[1:])
    return _convolution("DEPTHWISE_CONV_2D", draft, value, weights, one, padding="valid", out=value.shape, macs=macs)


def _convolution(
    name: str, draft: Draft, value: Value, weights: Shape, window: Window, *, padding: str, out: Shape, macs: int
) -> Value:
    kernel, bias = draft.weights(weights, out[-1]), draft.bias(out[-1])
    options = windows_2d(window) | {"padding": padding}
    flat = draft.emit(name, as_2d(draft, value), kernel, bias, shape=map_shape(out), macs=macs, **options)
    return from_2d(draft, flat, out)


def _flat(window: Window) -> tuple[int, ...]:
    """Return the size of the window along the axes that a signal in 1D lacks."""
    return (1,) * (2 - len(window.kernel))
