"""Steps that several blocks take."""

from __future__ import annotations

from cnnpipe.blocks._fields import Normalize
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.arithmetic import Padding, Size
from cnnpipe.graph.nodes.activation import Activation, ActivationName
from cnnpipe.graph.nodes.convolution import Convolution, DepthwiseConvolution, Initializer
from cnnpipe.graph.nodes.normalization import BatchNormalization
from cnnpipe.graph.nodes.padding import Pairs, ZeroPadding

AnyPadding = Padding | Pairs


def padded(graph: GraphBuilder, tensor: Tensor, padding: AnyPadding) -> tuple[Tensor, Padding]:
    """Add zeros where `padding` counts them, and return what the window is then to use."""
    if isinstance(padding, str):
        return tensor, padding
    return (graph.add(ZeroPadding(padding), tensor) if padding else tensor), "valid"


def convolution(
    graph: GraphBuilder,
    tensor: Tensor,
    filters: int,
    kernel_size: Size,
    *,
    strides: Size = 1,
    padding: AnyPadding = "same",
    dilation_rate: Size = 1,
    groups: int = 1,
    use_bias: bool = True,
    initializer: Initializer = "glorot_uniform",
) -> Tensor:
    """Add a convolution, after a node of zeros where `padding` counts them."""
    tensor, words = padded(graph, tensor, padding)
    node = Convolution(filters, kernel_size, strides, words, dilation_rate, groups, use_bias, initializer)
    return graph.add(node, tensor)


def depthwise(
    graph: GraphBuilder,
    tensor: Tensor,
    kernel_size: Size,
    *,
    strides: Size = 1,
    padding: AnyPadding = "same",
    depth_multiplier: int = 1,
    dilation_rate: Size = 1,
    use_bias: bool = True,
    initializer: Initializer = "glorot_uniform",
) -> Tensor:
    """Add a depthwise convolution, after a node of zeros where `padding` counts them."""
    tensor, words = padded(graph, tensor, padding)
    node = DepthwiseConvolution(kernel_size, strides, words, depth_multiplier, dilation_rate, use_bias, initializer)
    return graph.add(node, tensor)


def normalized(graph: GraphBuilder, tensor: Tensor, normalize: Normalize, activation: ActivationName) -> Tensor:
    """Add batch normalization if wanted, then the activation; `linear` adds no node."""
    if normalize:
        options = {} if isinstance(normalize, bool) else normalize.model_dump()
        tensor = graph.add(BatchNormalization(**options), tensor)
    return tensor if activation == "linear" else graph.add(Activation(activation), tensor)
