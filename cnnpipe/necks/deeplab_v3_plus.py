"""DeepLabV3+: looks at several distances at once, then joins a finer map to find the borders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from cnnpipe.blocks._fields import Normalize, Positive
from cnnpipe.blocks._layers import convolution, depthwise, normalized
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.activation import ActivationName
from cnnpipe.graph.nodes.dropout import Dropout
from cnnpipe.graph.nodes.merge import Concatenate
from cnnpipe.graph.nodes.pooling import GlobalAveragePooling
from cnnpipe.graph.nodes.resize import Resizing
from cnnpipe.necks import Level, Neck, level


class DeepLabV3Plus(Neck):
    """Atrous spatial pyramid pooling and its decoder (Chen et al. 2018, figure 2 and section 3.1).

    The pyramid is a 1x1 convolution, a 3x3 one for each rate, and the mean of the whole map; its answer is enlarged to
    the finer map, joined with it, and convolved twice. Gives one map, that of `low_level`.
    """

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"filters": 8, "low_level_filters": 4},
        {"filters": 8, "dilation_rates": (2, 4), "separable": False, "input_level": "P3", "low_level": "P1"},
        {"filters": 8, "dropout": 0.5, "image_pooling": False, "batch_normalization": False},
    )

    also_called: ClassVar[tuple[str, ...]] = ("deeplab", "deeplabv3", "deeplabv3plus", "deeplabv3+", "aspp")
    type: Literal["deeplab_v3_plus"] = "deeplab_v3_plus"
    filters: Positive = 256
    """Channels of each part of the pyramid, and of what follows."""
    dilation_rates: Annotated[tuple[Positive, ...], Field(min_length=1)] = (6, 12, 18)
    """Distances between the values of the 3x3 windows; the paper's are for an input level of stride 16."""
    image_pooling: bool = True
    """Whether the mean of the whole map is a part of the pyramid."""
    input_level: Level = "P4"
    """The level that the pyramid reads."""
    low_level: Level = "P2"
    """The finer level that is joined, and that comes out."""
    low_level_filters: Positive = 48
    """Channels that the finer map is reduced to before it is joined."""
    separable: bool = True
    """Whether 3x3 convolutions are a depthwise and a 1x1 one, as in section 3.1."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of the pyramid's channels that is dropped while training."""
    batch_normalization: Normalize = True
    """Normalize between convolution and activation: true, false, or options such as `{epsilon: 1e-5}`."""
    activation: ActivationName = "relu"
    """Keras's name of the activation."""

    def expand(self, graph: GraphBuilder, maps: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Return the map of `low_level`."""
        deep, fine = level(graph, maps, self.input_level), level(graph, maps, self.low_level)
        if deep.shape[0] > fine.shape[0]:
            message = f"input_level {self.input_level} is finer than low_level {self.low_level}"
            raise graph.problem(message, "Exchange them.")
        with graph.block((), "pyramid"):
            tensor = self._pyramid(graph, deep)
        with graph.block((), "decoder"):
            low = self._convolution(graph, fine, self.low_level_filters, 1)
            large = graph.add(Resizing(fine.shape[:2]), tensor) if tensor.shape[:2] != fine.shape[:2] else tensor
            tensor = graph.add(Concatenate(), large, low)
            for _ in range(2):
                tensor = self._convolution(graph, tensor, self.filters, 3)
        return {self.low_level: tensor}

    def _pyramid(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        parts = [self._convolution(graph, tensor, self.filters, 1)]
        parts += [self._convolution(graph, tensor, self.filters, 3, rate) for rate in self.dilation_rates]
        if self.image_pooling:
            mean = graph.add(GlobalAveragePooling(keepdims=True), tensor)
            mean = self._convolution(graph, mean, self.filters, 1)
            parts.append(graph.add(Resizing(tensor.shape[:2], "nearest"), mean))
        tensor = self._convolution(graph, graph.add(Concatenate(), *parts), self.filters, 1)
        return graph.add(Dropout(self.dropout), tensor) if self.dropout else tensor

    def _convolution(self, graph: GraphBuilder, tensor: Tensor, filters: int, size: int, rate: int = 1) -> Tensor:
        bias = not self.batch_normalization
        if self.separable and size > 1:
            tensor = depthwise(graph, tensor, size, dilation_rate=rate, use_bias=bias)
            tensor = normalized(graph, tensor, self.batch_normalization, self.activation)
            size, rate = 1, 1
        tensor = convolution(graph, tensor, filters, size, dilation_rate=rate, use_bias=bias)
        return normalized(graph, tensor, self.batch_normalization, self.activation)
