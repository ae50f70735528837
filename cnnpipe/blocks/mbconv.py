"""Inverted residual units as EfficientNet has them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cnnpipe.blocks import Example
from cnnpipe.blocks._inverted import InvertedUnits, squeezed_and_excited
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.activation import ActivationName
from cnnpipe.graph.nodes.convolution import Initializer


class MBConv(InvertedUnits):
    """`inverted_residual` with SiLU, and squeeze and excitation by the number of channels that a unit reads.

    Each convolution is followed by batch normalization, and by the activation but for the last. The input is added
    where its shape is that of the output. With `expansion: 1` the first convolution is left out.

    Output shape: (height / strides, width / strides, filters), rounded up.

    Source: Tan and Le 2019 (EfficientNet), section 4 and table 1, after Tan et al. 2019 (MnasNet), figure 7.
    """

    examples: ClassVar[tuple[Example, ...]] = (
        {"filters": 8},
        {"filters": 4, "strides": 2, "expansion": 1, "kernel_size": 5, "repeat": 2, "stochastic_depth": 0.2},
        {"filters": 8, "squeeze_excitation": 0.0, "batch_normalization": False},
    )

    also_called: ClassVar[tuple[str, ...]] = ("mb_conv", "efficientnet_block", "mobile_inverted_bottleneck")
    type: Literal["mbconv"] = "mbconv"
    squeeze_excitation: Annotated[float, Field(ge=0, le=1)] = 0.25
    """Squeezed channels as a share of those that a unit reads, rounded down, at least 1; 0 for none."""
    activation: ActivationName = "silu"
    """Keras's name of the activation, also inside squeeze and excitation."""
    kernel_initializer: Initializer = "he_normal_fan_out"
    """Spread of the random numbers that kernels start with."""

    def gated(self, graph: GraphBuilder, inner: Tensor, channels: int) -> Tensor:
        """Add squeeze and excitation if wanted."""
        if not self.squeeze_excitation:
            return inner
        squeezed = max(1, int(channels * self.squeeze_excitation))
        return squeezed_and_excited(graph, inner, squeezed, self.activation, "sigmoid", self.kernel_initializer)
