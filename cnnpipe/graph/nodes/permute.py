"""The same values with their axes in another order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cnnpipe.graph.arithmetic import text
from cnnpipe.graph.core import KerasLayer, NodeType, Shape, ShapeError


@dataclass(frozen=True)
class Permute(NodeType):
    """`keras.layers.Permute`.

    Args:
        dims: For each axis of the output the axis of the input that it is, from 1: the batch is axis 0.
    """

    kind: ClassVar[str] = "permute"
    dims: tuple[int, ...]

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the sizes in their new order."""
        (shape,) = inputs
        if sorted(self.dims) != list(range(1, len(shape) + 1)):
            raise ShapeError(f"dims {list(self.dims)} are no order of the {len(shape)} axes of {text(shape)}")
        return tuple(shape[axis - 1] for axis in self.dims)

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.Permute`."""
        return KerasLayer("Permute", {"dims": self.dims})

    def window(self, *inputs: Shape) -> None:
        """Return None: positions move, and what a later window reads is then no window of the input."""
        return None
