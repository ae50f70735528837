"""The classification head: features become one number per class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from cnnpipe.graph import GraphBuilder, NodeType, Tensor
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.graph.nodes.dense import Dense
from cnnpipe.graph.nodes.dropout import Dropout
from cnnpipe.graph.nodes.pooling import GlobalAveragePooling, GlobalMaxPooling
from cnnpipe.heads import Head

POOLINGS: Mapping[str, type[NodeType]] = {"average": GlobalAveragePooling, "max": GlobalMaxPooling}


class Classification(Head):
    """Global pooling (Lin et al. 2014, section 3.2) when the features are a map, then dropout, dense and activation."""

    type: Literal["classification"] = "classification"
    pooling: Literal["average", "max"] | None = None
    """How a feature map becomes a vector; when left out `average` on a map and nothing on a vector."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of the features that is dropped while training."""
    at_each_position: bool = False
    """Whether a 1x1 convolution with ReLU says at each position of a map how much there is of each class, and the
    pooling comes after it, as in SqueezeNet; otherwise a dense layer follows the pooling."""

    def expand(
        self, graph: GraphBuilder, features: Tensor, units: int, activation: Literal["softmax", "sigmoid"]
    ) -> Tensor:
        """Add the head after `features`, a map (height, width, channels) or a vector, and return (units) probabilities.

        Raises:
            ProblemError: `pooling` or `at_each_position` was given, and the features are a vector: there is nothing to
                pool, and there are no positions.
        """
        pooling = POOLINGS[self.pooling or "average"]()
        if self.at_each_position:
            return graph.add(Activation(activation), graph.add(pooling, self._class_maps(graph, features, units)))
        if self.pooling or len(features.shape) > 1:
            features = graph.add(pooling, features)
        return graph.add(Activation(activation), graph.add(Dense(units), self._dropped(graph, features)))

    def _class_maps(self, graph: GraphBuilder, features: Tensor, units: int) -> Tensor:
        if len(features.shape) == 1:
            hint = "Leave it out, or take away what makes a vector of the map."
            raise graph.problem(f"at_each_position needs a map, received a vector of {features.shape[0]} values", hint)
        maps = graph.add(Convolution(units, 1), self._dropped(graph, features))
        return graph.add(Activation("relu"), maps)

    def _dropped(self, graph: GraphBuilder, features: Tensor) -> Tensor:
        return graph.add(Dropout(self.dropout), features) if self.dropout else features
