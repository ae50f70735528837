"""A residual block that is wide inside and narrow outside."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cnnpipe.blocks import Block, Example
from cnnpipe.blocks._fields import Normalize, Positive, Sizes
from cnnpipe.blocks._layers import convolution, depthwise, normalized
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.activation import Activation, ActivationName
from cnnpipe.graph.nodes.merge import Add, Multiply
from cnnpipe.graph.nodes.pooling import GlobalAveragePooling


class InvertedResidual(Block):
    """1x1 up to `expansion` times the channels, depthwise, squeeze and excitation if wanted, 1x1 down to `filters`.

    Each convolution is followed by batch normalization if wanted, and by the activation but for the last. The input is
    added where its shape is that of the output. With `expansion: 1` the first convolution is left out.

    Output shape: (height / strides, width / strides, filters), rounded up.

    Source: Sandler et al. 2018 (MobileNetV2), section 3.3 and table 1; squeeze and excitation: Hu et al. 2018,
    section 3, placed as in Howard et al. 2019 (MobileNetV3), figure 4.
    """

    examples: ClassVar[tuple[Example, ...]] = (
        {"filters": 8},
        {"filters": 4, "strides": 2, "expansion": 3, "squeeze_excitation": 0.25, "activation": "hard_silu"},
        {"filters": 8, "expansion": 1, "squeeze_excitation": 0.5, "gate": "hard_sigmoid"},
    )

    also_called: ClassVar[tuple[str, ...]] = (
        "mbconv",
        "invertedresidual",
        "mobilenet_block",
        "inverted_bottleneck",
        "mobilenetv2_block",
    )
    type: Literal["inverted_residual"] = "inverted_residual"
    filters: Positive
    """Channels of the output."""
    kernel_size: Sizes = 3
    """Size of the depthwise window."""
    strides: Sizes = 1
    """How much smaller the output is."""
    expansion: Positive = 6
    """Inner channels per input channel."""
    squeeze_excitation: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Squeezed channels as a share of the inner channels; 0 leaves squeeze and excitation out."""
    gate: Literal["sigmoid", "hard_sigmoid"] = "sigmoid"
    """Activation that ends squeeze and excitation."""
    batch_normalization: Normalize = True
    """Normalize after each convolution: true, false, or options such as `{epsilon: 1e-5}`."""
    activation: ActivationName = "relu6"
    """Keras's name of the activation."""

    def ignored_keys(self) -> dict[str, str]:
        """The gate belongs to squeeze and excitation."""
        return {} if self.squeeze_excitation else {"gate": "because squeeze_excitation is 0"}

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the nodes and return the last output."""
        inner, use_bias = tensor, not self.batch_normalization
        if self.expansion > 1:
            inner = convolution(graph, inner, tensor.shape[-1] * self.expansion, 1, use_bias=use_bias)
            inner = normalized(graph, inner, self.batch_normalization, self.activation)
        inner = depthwise(graph, inner, self.kernel_size, strides=self.strides, use_bias=use_bias)
        inner = normalized(graph, inner, self.batch_normalization, self.activation)
        if self.squeeze_excitation:
            inner = self._squeezed_and_excited(graph, inner)
        inner = convolution(graph, inner, self.filters, 1, use_bias=use_bias)
        inner = normalized(graph, inner, self.batch_normalization, "linear")
        return graph.add(Add(), inner, tensor) if inner.shape == tensor.shape else inner

    def _squeezed_and_excited(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        channels = tensor.shape[-1]
        squeezed = graph.add(GlobalAveragePooling(keepdims=True), tensor)
        squeezed = convolution(graph, squeezed, max(1, round(channels * self.squeeze_excitation)), 1)
        squeezed = graph.add(Activation("relu"), squeezed)
        excited = graph.add(Activation(self.gate), convolution(graph, squeezed, channels, 1))
        return graph.add(Multiply(), tensor, excited)
