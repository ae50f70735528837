"""Lists of positions behind one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cnnpipe.graph.arithmetic import text
from cnnpipe.graph.core import KerasLayer, NodeType, Shape, ShapeError, Window


@dataclass(frozen=True)
class ConcatenatePositions(NodeType):
    """`keras.layers.Concatenate` along the positions of lists: `(n, channels)` and `(m, channels)`."""

    kind: ClassVar[str] = "concatenate_positions"

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (sum of positions, channels)."""
        shapes = " and ".join(text(shape) for shape in inputs)
        if any(len(shape) != 2 for shape in inputs):
            raise ShapeError(f"puts lists of positions behind one another, received {shapes}")
        if len({shape[-1] for shape in inputs}) > 1:
            raise ShapeError(f"lists of {shapes} cannot be put behind one another: their channels differ")
        return (sum(shape[0] for shape in inputs), inputs[0][-1])

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.Concatenate`."""
        return KerasLayer("Concatenate", {"axis": 1})

    def window(self, *inputs: Shape) -> Window | None:
        """Return None: neighbours in the list are none in the input."""
        return None
