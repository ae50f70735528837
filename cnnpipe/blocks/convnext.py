"""Residual units of a large depthwise window and two dense layers."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cnnpipe.blocks import Example
from cnnpipe.blocks._fields import Positive, Sizes
from cnnpipe.blocks._layers import convolution
from cnnpipe.blocks._residual_units import StridedUnits, added
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.arithmetic import Size
from cnnpipe.graph.nodes.activation import Activation, ActivationName
from cnnpipe.graph.nodes.dense import Dense
from cnnpipe.graph.nodes.normalization import LayerNormalization
from cnnpipe.graph.nodes.rescaling import ChannelScale


class ConvNeXt(StridedUnits):
    """Depthwise 7x7, layer normalization, 1x1 up to `expansion` times the channels, GELU, 1x1 down, channel factors.

    The factors are learned, one per channel; the result is added to the input.
    With `strides` above 1, or where the input has another number of channels, layer normalization and a convolution
    whose window is as large as its steps stand before the first unit.

    Output shape: (height / strides, width / strides, filters), rounded down.

    Source: Liu et al. 2022, section 2 and figure 4.
    """

    examples: ClassVar[tuple[Example, ...]] = (
        {"filters": 8},
        {"filters": 4, "strides": 2, "repeat": 2, "stochastic_depth": 0.1, "expansion": 2, "kernel_size": 3},
    )

    also_called: ClassVar[tuple[str, ...]] = ("convnext_block", "conv_next")
    type: Literal["convnext"] = "convnext"
    filters: Positive
    """Channels of the output."""
    kernel_size: Sizes = 7
    """Size of the depthwise window."""
    expansion: Positive = 4
    """Inner channels per channel."""
    layer_scale: Annotated[float, Field(gt=0)] = 1e-6
    """What the learned factors per channel start with."""
    epsilon: Annotated[float, Field(gt=0)] = 1e-6
    """Added to the variance of layer normalization."""
    activation: ActivationName = "gelu"
    """Keras's name of the activation."""

    def unit(self, graph: GraphBuilder, tensor: Tensor, strides: Size, rate: float) -> Tensor:
        """Add the nodes of one unit, and before them those that change the shape."""
        if strides != 1 or tensor.shape[-1] != self.filters:
            tensor = graph.add(LayerNormalization(self.epsilon), tensor)
            tensor = convolution(graph, tensor, self.filters, strides, strides=strides, padding="valid")
        inner = convolution(graph, tensor, self.filters, self.kernel_size, groups=self.filters)
        inner = graph.add(LayerNormalization(self.epsilon), inner)
        inner = graph.add(Activation(self.activation), graph.add(Dense(self.filters * self.expansion), inner))
        inner = graph.add(ChannelScale(self.layer_scale), graph.add(Dense(self.filters), inner))
        return added(graph, inner, tensor, rate)
