"""Windows of several sizes side by side."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.blocks import Block, Example
from cnnpipe.blocks._fields import Normalize, Positive
from cnnpipe.blocks._layers import convolution, normalized
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.activation import ActivationName
from cnnpipe.graph.nodes.merge import Concatenate
from cnnpipe.graph.nodes.pooling import MaxPooling


class Inception(Block):
    """Four branches, joined along the channels: 1x1; 1x1 then 3x3; 1x1 then 5x5; max pooling 3x3 then 1x1.

    Output shape: (height, width, filters_1x1 + filters_3x3 + filters_5x5 + filters_pool).

    Source: Szegedy et al. 2015 (GoogLeNet), section 4 and figure 2b; its table 1 has filters for such blocks.
    """

    examples: ClassVar[tuple[Example, ...]] = (
        {
            "filters_1x1": 4,
            "filters_3x3_reduce": 2,
            "filters_3x3": 4,
            "filters_5x5_reduce": 1,
            "filters_5x5": 2,
            "filters_pool": 2,
        },
    )

    widths: ClassVar[tuple[str, ...]] = (
        "filters_1x1", "filters_3x3_reduce", "filters_3x3", "filters_5x5_reduce", "filters_5x5", "filters_pool",
    )  # fmt: skip

    also_called: ClassVar[tuple[str, ...]] = ("inception_block", "googlenet", "inceptionblock")
    type: Literal["inception"] = "inception"
    filters_1x1: Positive
    """Channels of the 1x1 branch."""
    filters_3x3_reduce: Positive
    """Channels of the 1x1 convolution before the 3x3."""
    filters_3x3: Positive
    """Channels of the 3x3 branch."""
    filters_5x5_reduce: Positive
    """Channels of the 1x1 convolution before the 5x5."""
    filters_5x5: Positive
    """Channels of the 5x5 branch."""
    filters_pool: Positive
    """Channels of the branch that pools."""
    batch_normalization: Normalize = False
    """Normalize after each convolution: true, false, or options such as `{epsilon: 1e-5}`."""
    activation: ActivationName = "relu"
    """Keras's name of the activation."""

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the nodes and return the last output."""
        narrow = self._step(graph, tensor, self.filters_1x1, 1)
        middle = self._step(graph, self._step(graph, tensor, self.filters_3x3_reduce, 1), self.filters_3x3, 3)
        wide = self._step(graph, self._step(graph, tensor, self.filters_5x5_reduce, 1), self.filters_5x5, 5)
        pooled = graph.add(MaxPooling(3, 1, "same"), tensor)
        return graph.add(Concatenate(), narrow, middle, wide, self._step(graph, pooled, self.filters_pool, 1))

    def _step(self, graph: GraphBuilder, tensor: Tensor, filters: int, kernel_size: int) -> Tensor:
        tensor = convolution(graph, tensor, filters, kernel_size, use_bias=not self.batch_normalization)
        return normalized(graph, tensor, self.batch_normalization, self.activation)
