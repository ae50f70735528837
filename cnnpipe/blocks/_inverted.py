"""What the blocks share that are wide inside and narrow outside."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

from pydantic import Field

from cnnpipe.blocks._fields import Normalize, Positive, Sizes
from cnnpipe.blocks._layers import convolution, depthwise, normalized
from cnnpipe.blocks._residual_units import StridedUnits, added
from cnnpipe.blocks._scaling import rounded
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.arithmetic import Size
from cnnpipe.graph.nodes.activation import Activation, ActivationName
from cnnpipe.graph.nodes.convolution import Initializer
from cnnpipe.graph.nodes.merge import Multiply
from cnnpipe.graph.nodes.pooling import GlobalAveragePooling


class InvertedUnits(StridedUnits):
    """Base of blocks of inverted residual units: 1x1 up, depthwise, squeeze and excitation if wanted, 1x1 down."""

    filters: Positive
    """Channels of the output."""
    kernel_size: Sizes = 3
    """Size of the depthwise window."""
    expansion: Annotated[float, Field(ge=1)] = 6
    """Inner channels per input channel; where that is no whole number of them, rounded to a multiple of 8."""
    batch_normalization: Normalize = True
    """Normalize after each convolution: true, false, or options such as `{epsilon: 1e-5}`."""

    activation: ActivationName = "relu6"
    """Keras's name of the activation."""
    kernel_initializer: Initializer = "glorot_uniform"
    """Spread of the random numbers that kernels start with."""

    @abstractmethod
    def gated(self, graph: GraphBuilder, inner: Tensor, channels: int) -> Tensor:
        """Add squeeze and excitation, if wanted, after the inner map of a unit that reads so many channels."""

    def unit(self, graph: GraphBuilder, tensor: Tensor, strides: Size, rate: float) -> Tensor:
        """Add the nodes of one unit; the input is added where its shape is that of the output."""
        inner, channels = tensor, tensor.shape[-1]
        if self.expansion > 1:
            inner = self._pointwise(graph, inner, _times(self.expansion, channels), self.activation)
        graph.feature(inner)  # nothing later has so many positions, if the strides are above 1
        use_bias, initializer = not self.batch_normalization, self.kernel_initializer
        inner = depthwise(graph, inner, self.kernel_size, strides=strides, use_bias=use_bias, initializer=initializer)
        inner = normalized(graph, inner, self.batch_normalization, self.activation)
        inner = self._pointwise(graph, self.gated(graph, inner, channels), self.filters, "linear")
        return added(graph, inner, tensor, rate) if inner.shape == tensor.shape else inner

    def _pointwise(self, graph: GraphBuilder, tensor: Tensor, filters: int, activation: ActivationName) -> Tensor:
        use_bias = not self.batch_normalization
        tensor = convolution(graph, tensor, filters, 1, use_bias=use_bias, initializer=self.kernel_initializer)
        return normalized(graph, tensor, self.batch_normalization, activation)


def _times(expansion: float, channels: int) -> int:
    inner = expansion * channels
    return int(inner) if inner == int(inner) else rounded(inner)


def squeezed_and_excited(
    graph: GraphBuilder,
    tensor: Tensor,
    squeezed: int,
    activation: ActivationName,
    gate: ActivationName,
    initializer: Initializer,
) -> Tensor:
    """Add a factor for each channel that all channels decide on (Hu et al. 2018, section 3).

    Args:
        graph: Where to add.
        tensor: The map.
        squeezed: Channels between the two layers that decide.
        activation: Of the first of them.
        gate: Of the second.
        initializer: What their kernels start with.
    """
    factors = graph.add(GlobalAveragePooling(keepdims=True), tensor)
    factors = graph.add(Activation(activation), convolution(graph, factors, squeezed, 1, initializer=initializer))
    factors = convolution(graph, factors, tensor.shape[-1], 1, initializer=initializer)
    return graph.add(Multiply(), tensor, graph.add(Activation(gate), factors))
