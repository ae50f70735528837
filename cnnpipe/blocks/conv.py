"""One convolution."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.blocks import Block, Example
from cnnpipe.blocks._fields import Normalize, Paddings, Positive, Sizes
from cnnpipe.blocks._layers import convolution, normalized
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.activation import ActivationName
from cnnpipe.graph.nodes.convolution import Initializer


class Conv(Block):
    """Convolution, batch normalization if wanted, activation.

    Output shape: (height, width, filters) with the defaults; in general
    floor((n + 2 padding - dilation_rate (kernel_size - 1) - 1) / strides) + 1 on each axis.

    Source: LeCun et al. 1998, section II; batch normalization before the activation as in Ioffe and Szegedy 2015,
    section 3.2.
    """

    examples: ClassVar[tuple[Example, ...]] = (
        {"filters": 4},
        {"filters": 4, "kernel_size": 1, "batch_normalization": True, "activation": "linear"},
        {"filters": 4, "strides": 2, "padding": 1, "use_bias": False},
    )

    also_called: ClassVar[tuple[str, ...]] = (
        "conv1d",
        "conv2d",
        "convolution",
        "convolution2d",
        "conv3x3",
        "c",
        "conv_2d",
    )
    type: Literal["conv"] = "conv"
    filters: Positive
    """Channels of the output."""
    kernel_size: Sizes = 3
    """Size of the window."""
    strides: Sizes = 1
    """Steps of the window."""
    padding: Paddings = "same"
    """Zeros around the input: same, valid, causal, a number, or [before, after] per axis."""
    dilation_rate: Sizes = 1
    """Distance between the values of the window."""
    groups: Positive = 1
    """Groups of channels that do not see each other."""
    use_bias: bool | None = None
    """A learned number per filter; when left out, yes without and no with batch normalization, which has its own."""
    batch_normalization: Normalize = False
    """Normalize between convolution and activation: true, false, or options such as `{epsilon: 1e-5}`."""
    kernel_initializer: Initializer = "glorot_uniform"
    """Spread of the random numbers that the kernel starts with."""
    activation: ActivationName = "relu"
    """Keras's name of the activation; linear for none."""

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the nodes and return the last output."""
        tensor = convolution(
            graph,
            tensor,
            self.filters,
            self.kernel_size,
            strides=self.strides,
            padding=self.padding,
            dilation_rate=self.dilation_rate,
            groups=self.groups,
            use_bias=not self.batch_normalization if self.use_bias is None else self.use_bias,
            initializer=self.kernel_initializer,
        )
        return normalized(graph, tensor, self.batch_normalization, self.activation)
