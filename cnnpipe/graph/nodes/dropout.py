"""Dropout: random zeros while training, nothing afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cnnpipe.graph.arithmetic import spatial
from cnnpipe.graph.core import KerasLayer, NodeType, Shape


@dataclass(frozen=True)
class Dropout(NodeType):
    """`keras.layers.Dropout` (Srivastava et al. 2014), or `SpatialDropout{rank}D` (Tompson et al. 2015, section 3.2).

    Args:
        rate: Share of the values that are zeroed, in [0, 1); the others are divided by 1 - rate.
        spatial: Zero whole channels instead of single values.
    """

    kind: ClassVar[str] = "dropout"
    random: ClassVar[bool] = True
    rate: float
    spatial: bool = False

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the input's shape."""
        if self.spatial:
            spatial(inputs[0], "drops whole channels of")
        return inputs[0]

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.Dropout` or `SpatialDropout{rank}D`."""
        name = f"SpatialDropout{len(inputs[0]) - 1}D" if self.spatial else "Dropout"
        return KerasLayer(name, {"rate": self.rate})
