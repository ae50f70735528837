"""Convolutions in 2D."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cnnpipe.graph.arithmetic import per_axis
from cnnpipe.graph.core import NodeType
from cnnpipe.graph.lowering.draft import Draft, Value, batched, lowers
from cnnpipe.graph.nodes.convolution import Convolution, DepthwiseConvolution
from cnnpipe.graph.nodes.rescaling import ChannelScale


@lowers(Convolution)
def convolution(node: Convolution, draft: Draft, reads: Sequence[Value]) -> Value:
    """CONV_2D, with biases in any case."""
    (value,) = reads
    if len(value.shape) != 4:
        raise draft.not_predicted(f"convolution in {len(value.shape) - 2}D")
    if node.groups > 1:
        raise draft.not_predicted("convolution in groups")
    kernel = (node.filters, *per_axis(node.kernel_size, 2, "kernel_size"), value.shape[-1])
    return _convolution(node, draft, value, "CONV_2D", kernel, node.filters)


@lowers(DepthwiseConvolution)
def depthwise_convolution(node: DepthwiseConvolution, draft: Draft, reads: Sequence[Value]) -> Value:
    """DEPTHWISE_CONV_2D, with biases in any case."""
    (value,) = reads
    if len(value.shape) != 4:
        raise draft.not_predicted(f"depthwise convolution in {len(value.shape) - 2}D")
    channels = value.shape[-1] * node.depth_multiplier
    kernel = (1, *per_axis(node.kernel_size, 2, "kernel_size"), channels)
    return _convolution(node, draft, value, "DEPTHWISE_CONV_2D", kernel, channels)


@lowers(ChannelScale)
def channel_scale(node: ChannelScale, draft: Draft, reads: Sequence[Value]) -> Value:
    """DEPTHWISE_CONV_2D with a window of one value."""
    channels = reads[0].shape[-1]
    return _convolution(node, draft, reads[0], "DEPTHWISE_CONV_2D", (1, 1, 1, channels), channels)


def _convolution(
    node: NodeType, draft: Draft, value: Value, name: str, kernel: tuple[int, ...], channels: int
) -> Value:
    shape = value.shape[1:]
    window = node.window(shape)
    strides = tuple(int(step) for step in window.strides) if window else (1, 1)
    if math.prod(window.dilation if window else (1,)) > 1:
        raise draft.not_predicted("dilated convolution")
    return draft.emit(
        name,
        value,
        draft.weights(kernel, channels),
        draft.bias(channels),
        shape=batched(node.output_shape(shape)),
        macs=node.macs(shape),
        padding=getattr(node, "padding", "valid"),
        strides=strides,
        kernel=window.kernel if window else (1, 1),
    )
