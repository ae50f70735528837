"""The input of a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cnnpipe.graph.core import KerasLayer, NodeType, Shape, Window


@dataclass(frozen=True)
class Input(NodeType):
    """An input tensor of `shape`, without the batch."""

    kind: ClassVar[str] = "input"
    shape: Shape

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape that was asked for."""
        return self.shape

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.InputLayer`."""
        return KerasLayer("InputLayer", {"shape": self.shape})

    def window(self, *inputs: Shape) -> Window:
        """Return that each value sees itself."""
        ones = (1,) * (len(self.shape) - 1)
        return Window(ones, ones, ones)
