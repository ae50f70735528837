"""The classification head: features become one number per class."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.dense import Dense
from cnnpipe.graph.nodes.dropout import Dropout
from cnnpipe.graph.nodes.pooling import GlobalAveragePooling, GlobalMaxPooling
from cnnpipe.heads import Head

POOLINGS = {"average": GlobalAveragePooling, "max": GlobalMaxPooling}


class Classification(Head):
    """Global pooling (Lin et al. 2014, section 3.2) when the features are a map, then dropout, dense and activation."""

    type: Literal["classification"] = "classification"
    pooling: Literal["average", "max"] | None = None
    """How a feature map becomes a vector; when left out `average` on a map and nothing on a vector."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of the features that is dropped while training."""

    def expand(
        self, graph: GraphBuilder, features: Tensor, units: int, activation: Literal["softmax", "sigmoid"]
    ) -> Tensor:
        """Add the head after `features`, a map (height, width, channels) or a vector, and return (units) probabilities.

        Raises:
            ProblemError: `pooling` was given, and the features are a vector: there is nothing to pool.
        """
        if self.pooling or len(features.shape) > 1:
            features = graph.add(POOLINGS[self.pooling or "average"](), features)
        if self.dropout:
            features = graph.add(Dropout(self.dropout), features)
        return graph.add(Activation(activation), graph.add(Dense(units), features))
