"""Normalization by the channels that lie beside a value."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from cnnpipe.blocks import Block, Example
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.local_response_normalization import LocalResponseNormalization as Node


def _check_power(beta: float) -> float:
    if beta not in (0.5, 0.75):
        raise PydanticCustomError("power", "expected 0.5 or 0.75")
    return beta


class LocalResponseNormalization(Block):
    """Each value divided by (bias + alpha * the sum of squares of the channels near it) ** beta.

    It has no weights. Networks since 2014 do without it, and normalize batches.

    Output shape: that of the input, (height, width, channels).

    Source: Krizhevsky et al. 2012 (AlexNet), section 3.3, whose numbers are the defaults.
    """

    examples: ClassVar[tuple[Example, ...]] = ({}, {"depth_radius": 1, "bias": 1.0, "alpha": 0.5, "beta": 0.5})

    also_called: ClassVar[tuple[str, ...]] = ("lrn", "localresponsenorm", "local_response_norm", "norm")
    type: Literal["local_response_normalization"] = "local_response_normalization"
    depth_radius: Annotated[int, Field(ge=1)] = 2
    """How many channels count on each side; 2 is the paper's n = 5."""
    bias: Annotated[float, Field(gt=0)] = 2.0
    """Added to the sum; the paper's k."""
    alpha: Annotated[float, Field(gt=0)] = 1e-4
    """Factor on the sum of squares; where a network states it for their mean, divide it by 2 depth_radius + 1."""
    beta: Annotated[float, AfterValidator(_check_power)] = 0.75
    """The power: 0.5 or 0.75, which are made of reciprocal square roots."""

    def expand(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        """Add the node and return its output."""
        return graph.add(Node(self.depth_radius, self.bias, self.alpha, self.beta), tensor)
