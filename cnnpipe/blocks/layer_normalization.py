"""Normalization of each position by itself."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cnnpipe.blocks import Block, Example
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.normalization import LayerNormalization as LayerNormalizationNode


class LayerNormalization(Block):
    """Mean 0 and variance 1 over the channels of each position, then a learned factor and offset per channel.

    Output shape: that of the input.

    Source: Ba et al. 2016, section 3.
    """

    examples: ClassVar[tuple[Example, ...]] = ({}, {"epsilon": 1e-6})

    also_called: ClassVar[tuple[str, ...]] = ("layernorm", "layer_norm", "ln", "layernormalization2d")
    type: Literal["layer_normalization"] = "layer_normalization"
    epsilon: Annotated[float, Field(gt=0)] = 1e-3
    """Added to the variance."""

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the node and return its output."""
        return graph.add(LayerNormalizationNode(self.epsilon), tensor)
