"""Convolutions with ReLU, then pooling: the building block of most small networks."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.blocks import Block, Example
from cnnpipe.blocks._fields import Normalize, Paddings, Positive, Rate, Sizes
from cnnpipe.blocks._layers import convolution, normalized
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.activation import ActivationName
from cnnpipe.graph.nodes.dropout import Dropout
from cnnpipe.graph.nodes.pooling import AveragePooling, MaxPooling


class ConvReluPool(Block):
    """`repeat` times convolution, batch normalization if wanted, activation; then one pooling, then dropout.

    Output shape: (height / 2, width / 2, filters) with the defaults, rounded down.

    Source: LeCun et al. 1998, section II; with `repeat` Simonyan and Zisserman 2015 (VGG), section 2.1; with
    `pool: none` and `strides: 2` Springenberg et al. 2015 (All-CNN), section 2.
    """

    examples: ClassVar[tuple[Example, ...]] = (
        {"filters": 4},
        {"filters": 4, "repeat": 2, "batch_normalization": True, "pool": "average", "dropout": 0.5},
        {"filters": 4, "kernel_size": (5, 3), "padding": ((2, 1), (0, 1)), "groups": 2, "pool_size": 3},
        {"filters": 4, "strides": 2, "pool": "none", "padding": 1, "repeat": 2, "activation": "leaky_relu"},
        {"filters": 4, "dilation_rate": 2, "padding": "valid"},
    )

    also_called: ClassVar[tuple[str, ...]] = (
        "conv_block",
        "convblock",
        "conv_bn_relu",
        "convbnrelu",
        "vgg_block",
        "cbr",
        "cnn",
    )
    type: Literal["conv_relu_pool"] = "conv_relu_pool"
    filters: Positive
    """Channels of the output."""
    kernel_size: Sizes = 3
    """Size of the convolution's window."""
    strides: Sizes = 1
    """Steps of the convolution's window; with `repeat`, of the last convolution."""
    padding: Paddings = "same"
    """Zeros around the input of each convolution: same, valid, causal, a number, or [before, after] per axis."""
    dilation_rate: Sizes = 1
    """Distance between the values of the window."""
    groups: Positive = 1
    """Groups of channels that do not see each other."""
    use_bias: bool | None = None
    """A learned number per filter; when left out, yes without and no with batch normalization, which has its own."""
    batch_normalization: Normalize = False
    """Normalize between convolution and activation: true, false, or options such as `{epsilon: 1e-5}`."""
    activation: ActivationName = "relu"
    """Keras's name of the activation; linear for none."""
    repeat: Positive = 1
    """Number of convolutions before the pooling."""
    pool: Literal["max", "average", "none"] = "max"
    """Kind of pooling."""
    pool_size: Sizes = 2
    """Size and steps of the pooling window."""
    dropout: Rate = 0.0
    """Share of the outputs that are zeroed while training."""

    def ignored_keys(self) -> dict[str, str]:
        """Without pooling there is no window."""
        return {"pool_size": "because pool is none"} if self.pool == "none" else {}

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the nodes and return the last output."""
        use_bias = not self.batch_normalization if self.use_bias is None else self.use_bias
        for number in range(self.repeat):
            tensor = convolution(
                graph,
                tensor,
                self.filters,
                self.kernel_size,
                strides=self.strides if number == self.repeat - 1 else 1,
                padding=self.padding,
                dilation_rate=self.dilation_rate,
                groups=self.groups,
                use_bias=use_bias,
            )
            tensor = normalized(graph, tensor, self.batch_normalization, self.activation)
        if self.pool != "none":
            graph.feature(tensor)
            pooling = MaxPooling if self.pool == "max" else AveragePooling
            tensor = graph.add(pooling(self.pool_size), tensor)
        return graph.add(Dropout(self.dropout), tensor) if self.dropout else tensor
