"""The same values in another shape."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from cnnpipe.graph.arithmetic import text
from cnnpipe.graph.core import KerasLayer, NodeType, Shape, ShapeError, Window


@dataclass(frozen=True)
class Flatten(NodeType):
    """`keras.layers.Flatten`: all values as one vector, channels running fastest. Each still sees what it saw."""

    kind: ClassVar[str] = "flatten"

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (number of values)."""
        return (math.prod(inputs[0]),)

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.Flatten`."""
        return KerasLayer("Flatten", {})


@dataclass(frozen=True)
class Reshape(NodeType):
    """`keras.layers.Reshape`.

    Args:
        target_shape: The new shape without the batch, of equally many values.
    """

    kind: ClassVar[str] = "reshape"
    target_shape: Shape

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the target shape."""
        have, want = math.prod(inputs[0]), math.prod(self.target_shape)
        if have != want:
            raise ShapeError(
                f"reshapes {text(inputs[0])} ({have} values) into {text(self.target_shape)} ({want} values)"
            )
        return self.target_shape

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.Reshape`."""
        return KerasLayer("Reshape", {"target_shape": self.target_shape})

    def window(self, *inputs: Shape) -> Window | None:
        """Return None when positions move: what a later window reads is then no window of the input."""
        (shape,) = inputs
        moved = shape[:-1] != self.target_shape[:-1] and math.prod(self.target_shape[:-1]) > 1
        return None if moved else super().window(shape)
