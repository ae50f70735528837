"""Convolutions whose result is added to their input."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.blocks import Block, Example
from cnnpipe.blocks._fields import Normalize, Positive, Sizes
from cnnpipe.blocks._layers import convolution, normalized
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.arithmetic import Size
from cnnpipe.graph.nodes.activation import ActivationName
from cnnpipe.graph.nodes.merge import Add


class Residual(Block):
    """A basic or bottleneck residual block: activation(convolutions(x) + shortcut(x)).

    Basic: two convolutions of `filters`. Bottleneck: 1x1 down to `filters`, one convolution, 1x1 up to
    `filters x expansion`. The shortcut is x itself, or where the shape changes a 1x1 convolution (with batch
    normalization) at the same strides.

    Output shape: (height / strides, width / strides, filters), of a bottleneck (..., filters x expansion). Sizes are
    rounded up.

    Source: He et al. 2016, section 3.3 (option B), figure 5 and table 1; `groups`: Xie et al. 2017 (ResNeXt), figure
    3c. Strides stand at the middle convolution of a bottleneck, not at the first, so that no value of x is passed over.
    """

    examples: ClassVar[tuple[Example, ...]] = (
        {"filters": 8},
        {"filters": 4, "strides": 2, "batch_normalization": False},
        {"filters": 2, "bottleneck": True},
        {"filters": 4, "bottleneck": True, "strides": 2, "groups": 2, "expansion": 2, "activation": "silu"},
    )

    also_called: ClassVar[tuple[str, ...]] = (
        "resnet_block",
        "basicblock",
        "bottleneck",
        "resblock",
        "res_block",
        "residual_block",
        "resnet",
    )
    type: Literal["residual"] = "residual"
    filters: Positive
    """Channels of the convolutions; of a bottleneck before they grow."""
    kernel_size: Sizes = 3
    """Size of the window of all but the 1x1 convolutions."""
    strides: Sizes = 1
    """How much smaller the output is."""
    bottleneck: bool = False
    """Three convolutions, 1x1 before and after, instead of two."""
    expansion: Positive = 4
    """Of a bottleneck: output channels per filter."""
    groups: Positive = 1
    """Groups of channels that do not see each other, in all but the 1x1 convolutions."""
    batch_normalization: Normalize = True
    """Normalize after each convolution: true, false, or options such as `{epsilon: 1e-5}`."""
    activation: ActivationName = "relu"
    """Keras's name of the activation."""

    def ignored_keys(self) -> dict[str, str]:
        """Only a bottleneck grows."""
        return {} if self.bottleneck else {"expansion": "because bottleneck is false"}

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the nodes and return the last output."""
        if self.bottleneck:
            inner = self._step(graph, tensor, self.filters, 1, self.activation)
            inner = self._step(graph, inner, self.filters, self.kernel_size, self.activation, self.strides, self.groups)
            inner = self._step(graph, inner, self.filters * self.expansion, 1)
        else:
            first = (self.filters, self.kernel_size, self.activation, self.strides, self.groups)
            inner = self._step(graph, tensor, *first)
            inner = self._step(graph, inner, self.filters, self.kernel_size, groups=self.groups)
        if tensor.shape != inner.shape:
            tensor = self._step(graph, tensor, inner.shape[-1], 1, strides=self.strides)
        tensor = graph.add(Add(), inner, tensor)
        return normalized(graph, tensor, False, self.activation)

    def _step(
        self,
        graph: GraphBuilder,
        tensor: Tensor,
        filters: int,
        kernel_size: Size,
        activation: ActivationName = "linear",
        strides: Size = 1,
        groups: int = 1,
    ) -> Tensor:
        bias = not self.batch_normalization
        tensor = convolution(graph, tensor, filters, kernel_size, strides=strides, groups=groups, use_bias=bias)
        return normalized(graph, tensor, self.batch_normalization, activation)
