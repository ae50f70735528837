"""A convolution taken apart: each channel by itself, then 1x1 across the channels."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.blocks import Block, Example
from cnnpipe.blocks._fields import Normalize, Paddings, Positive, Sizes
from cnnpipe.blocks._layers import convolution, depthwise, normalized
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.activation import ActivationName


class SeparableConv(Block):
    """Depthwise convolution, then 1x1 convolution, batch normalization if wanted, activation.

    With `between` batch normalization and activation also stand after the depthwise convolution.

    Output shape: (height, width, filters) with the defaults.

    Source: Chollet 2017 (Xception), section 1.2; with `between` Howard et al. 2017 (MobileNet), figure 3.
    """

    examples: ClassVar[tuple[Example, ...]] = (
        {"filters": 4},
        {"filters": 4, "strides": 2, "batch_normalization": True, "between": True, "depth_multiplier": 2},
        {"filters": 4, "padding": ((0, 1), (0, 1)), "dilation_rate": 2},
    )

    also_called: ClassVar[tuple[str, ...]] = (
        "separableconv2d",
        "depthwise_separable",
        "dwconv",
        "sepconv",
        "depthwiseconv2d",
    )
    type: Literal["separable_conv"] = "separable_conv"
    filters: Positive
    """Channels of the output."""
    kernel_size: Sizes = 3
    """Size of the depthwise window."""
    strides: Sizes = 1
    """Steps of the depthwise window."""
    padding: Paddings = "same"
    """Zeros around the input: same, valid, a number, or [before, after] per axis."""
    dilation_rate: Sizes = 1
    """Distance between the values of the depthwise window."""
    depth_multiplier: Positive = 1
    """Depthwise filters per input channel."""
    use_bias: bool | None = None
    """A learned number per channel of both convolutions; when left out, where no batch normalization has its own."""
    batch_normalization: Normalize = False
    """Normalize before the activation: true, false, or options such as `{epsilon: 1e-5}`."""
    activation: ActivationName = "relu"
    """Keras's name of the activation; linear for none."""
    between: bool = False
    """Put batch normalization and activation also between the two convolutions."""

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the nodes and return the last output."""
        use_bias = not self.batch_normalization if self.use_bias is None else self.use_bias
        tensor = depthwise(
            graph,
            tensor,
            self.kernel_size,
            strides=self.strides,
            padding=self.padding,
            depth_multiplier=self.depth_multiplier,
            dilation_rate=self.dilation_rate,
            use_bias=use_bias and (self.between or self.use_bias is True),  # the 1x1 convolution's bias does the same
        )
        if self.between:
            tensor = normalized(graph, tensor, self.batch_normalization, self.activation)
        tensor = convolution(graph, tensor, self.filters, 1, use_bias=use_bias)
        return normalized(graph, tensor, self.batch_normalization, self.activation)
