"""Convolutions whose result is added to their input."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.blocks import Example
from cnnpipe.blocks._fields import Normalize, Positive, Sizes
from cnnpipe.blocks._layers import convolution, normalized
from cnnpipe.blocks._residual_units import StridedUnits, added
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.arithmetic import Size
from cnnpipe.graph.nodes.activation import ActivationName

LINEAR: ActivationName = "linear"


class Residual(StridedUnits):
    """A basic or bottleneck residual block: activation(convolutions(x) + shortcut(x)).

    Basic: two convolutions of `filters`. Bottleneck: 1x1 down to `filters`, one convolution, 1x1 up to
    `filters x expansion`. The shortcut is x itself, or where the shape changes a 1x1 convolution (with batch
    normalization) at the same strides. With `repeat` so many such blocks follow one another; the first has the strides.
    In tables they are called `residual.0`, `residual.1` ...

    Output shape: (height / strides, width / strides, filters), of a bottleneck (..., filters x expansion). Sizes are
    rounded up.

    Source: He et al. 2016, section 3.3 (option B), figure 5 and table 1; `groups`: Xie et al. 2017 (ResNeXt), figure
    3c; `strides_at: middle`: Goyal et al. 2017, section 5.1.
    """

    examples: ClassVar[tuple[Example, ...]] = (
        {"filters": 8},
        {"filters": 4, "strides": 2, "batch_normalization": False},
        {"filters": 2, "bottleneck": True},
        {"filters": 4, "bottleneck": True, "strides": 2, "groups": 2, "expansion": 2, "activation": "silu"},
        {"filters": 4, "repeat": 2, "strides": 2, "normalize_shortcut": False},
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
    bottleneck: bool = False
    """Three convolutions, 1x1 before and after, instead of two."""
    expansion: Positive = 4
    """Of a bottleneck: output channels per filter."""
    strides_at: Literal["first", "middle"] = "middle"
    """Of a bottleneck: which convolution has the strides; at the first, a 1x1, most values of the input are lost."""
    groups: Positive = 1
    """Groups of channels that do not see each other, in all but the 1x1 convolutions."""
    use_bias: bool | None = None
    """A learned number per filter; when left out, yes without and no with batch normalization, which has its own."""
    batch_normalization: Normalize = True
    """Normalize after each convolution: true, false, or options such as `{epsilon: 1e-5}`."""
    normalize_shortcut: bool = True
    """Normalize the convolution of the shortcut too."""
    activation: ActivationName = "relu"
    """Keras's name of the activation."""

    def ignored_keys(self) -> dict[str, str]:
        """Only a bottleneck grows and has a middle; without batch normalization there is none in the shortcut."""
        reason = "because bottleneck is false"
        ignored = {} if self.bottleneck else {"expansion": reason, "strides_at": reason}
        if not self.batch_normalization:
            ignored["normalize_shortcut"] = "because batch_normalization is false"
        return ignored

    def unit(self, graph: GraphBuilder, tensor: Tensor, strides: Size, rate: float) -> Tensor:
        """Add the nodes of one block."""
        inner = self._bottleneck(graph, tensor, strides) if self.bottleneck else self._basic(graph, tensor, strides)
        if tensor.shape != inner.shape:
            normalize = self.batch_normalization if self.normalize_shortcut else False
            tensor = self._convolution(graph, tensor, inner.shape[-1], 1, strides)
            tensor = normalized(graph, tensor, normalize, "linear")
        return normalized(graph, added(graph, inner, tensor, rate), False, self.activation)

    def _basic(self, graph: GraphBuilder, tensor: Tensor, strides: Size) -> Tensor:
        for step, activation in ((strides, self.activation), (1, LINEAR)):
            tensor = self._convolution(graph, tensor, self.filters, self.kernel_size, step, self.groups)
            tensor = normalized(graph, tensor, self.batch_normalization, activation)
        return tensor

    def _bottleneck(self, graph: GraphBuilder, tensor: Tensor, strides: Size) -> Tensor:
        first, middle = (strides, 1) if self.strides_at == "first" else (1, strides)
        tensor = self._convolution(graph, tensor, self.filters, 1, first)
        tensor = normalized(graph, tensor, self.batch_normalization, self.activation)
        tensor = self._convolution(graph, tensor, self.filters, self.kernel_size, middle, self.groups)
        tensor = normalized(graph, tensor, self.batch_normalization, self.activation)
        tensor = self._convolution(graph, tensor, self.filters * self.expansion, 1)
        return normalized(graph, tensor, self.batch_normalization, LINEAR)

    def _convolution(
        self, graph: GraphBuilder, tensor: Tensor, filters: int, kernel_size: Size, strides: Size = 1, groups: int = 1
    ) -> Tensor:
        bias = not self.batch_normalization if self.use_bias is None else self.use_bias
        return convolution(graph, tensor, filters, kernel_size, strides=strides, groups=groups, use_bias=bias)
