"""A narrow layer, then two windows side by side."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.blocks import Block, Example
from cnnpipe.blocks._fields import Normalize, Positive
from cnnpipe.blocks._layers import convolution, normalized
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.activation import ActivationName
from cnnpipe.graph.nodes.merge import Concatenate


class Fire(Block):
    """`repeat` times a 1x1 convolution to few channels, then 1x1 and 3x3 from these, joined along the channels.

    Output shape: (height, width, filters_1x1 + filters_3x3).

    Source: Iandola et al. 2016 (SqueezeNet), section 3.2 and figure 1.
    """

    examples: ClassVar[tuple[Example, ...]] = (
        {"filters_squeeze": 2, "filters_1x1": 4, "filters_3x3": 3},
        {"filters_squeeze": 2, "filters_1x1": 4, "filters_3x3": 4, "repeat": 2, "batch_normalization": True},
    )
    widths: ClassVar[tuple[str, ...]] = ("filters_squeeze", "filters_1x1", "filters_3x3")

    also_called: ClassVar[tuple[str, ...]] = ("fire_module", "squeezenet", "squeeze_expand")
    type: Literal["fire"] = "fire"
    filters_squeeze: Positive
    """Channels that the 1x1 convolution leaves."""
    filters_1x1: Positive
    """Channels that 1x1 makes of these."""
    filters_3x3: Positive
    """Channels that 3x3 makes of these."""
    batch_normalization: Normalize = False
    """Normalize after each convolution: true, false, or options such as `{epsilon: 1e-5}`."""
    activation: ActivationName = "relu"
    """Keras's name of the activation."""
    repeat: Positive = 1
    """Number of such modules in a row."""

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the nodes and return the last output."""
        for _ in range(self.repeat):
            squeezed = self._step(graph, tensor, self.filters_squeeze, 1)
            narrow = self._step(graph, squeezed, self.filters_1x1, 1)
            tensor = graph.add(Concatenate(), narrow, self._step(graph, squeezed, self.filters_3x3, 3))
        return tensor

    def _step(self, graph: GraphBuilder, tensor: Tensor, filters: int, kernel_size: int) -> Tensor:
        tensor = convolution(graph, tensor, filters, kernel_size, use_bias=not self.batch_normalization)
        return normalized(graph, tensor, self.batch_normalization, self.activation)
