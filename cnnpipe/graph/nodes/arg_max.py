"""The position of the largest channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cnnpipe.graph.core import KerasLayer, NodeType, Shape, ShapeError


@dataclass(frozen=True)
class ArgMax(NodeType):
    """`tf.argmax` over the channels, int32, which stay as an axis of 1; of equal values the first."""

    kind: ClassVar[str] = "arg_max"

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape with one channel."""
        (shape,) = inputs
        if not shape:
            raise ShapeError("there are no channels to choose from")
        return (*shape[:-1], 1)

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return the layer of this project: Keras has none."""
        return KerasLayer("cnnpipe.layers.arg_max.ArgMax", {})
