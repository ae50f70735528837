"""Normalization by statistics of the data."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cnnpipe.blocks import Block, Example
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.rescaling import Normalization as NormalizationNode


class Normalization(Block):
    """(x - mean) / sqrt(variance) for each channel, as some published networks do to pixels before their first layer.

    Without `mean` and `variance` they are weights that no training changes, 0 and 1 unless published weights are
    loaded. It belongs to the network, after `data.preprocessing`, which does as much for all others.

    Output shape: that of the input.

    Source: the first layers of EfficientNet and ConvNeXt in keras.applications.
    """

    examples: ClassVar[tuple[Example, ...]] = ({}, {"mean": (0.5,) * 8, "variance": (0.25,) * 8})

    type: Literal["normalization"] = "normalization"
    mean: Annotated[tuple[float, ...], Field(min_length=1)] | None = None
    """One number per channel."""
    variance: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)] | None = None
    """One number per channel."""

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the node and return its output."""
        if (self.mean is None) != (self.variance is None):
            missing = "mean" if self.mean is None else "variance"
            raise graph.problem(f"'{missing}' is missing beside the other", "Give both, or neither.")
        return graph.add(NormalizationNode(self.mean, self.variance), tensor)
