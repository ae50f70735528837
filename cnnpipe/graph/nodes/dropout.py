"""Dropout of values, channels or whole examples: random zeros while training, nothing afterwards."""

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


@dataclass(frozen=True)
class StochasticDepth(NodeType):
    """`keras.layers.Dropout` of all values of an example together (Huang et al. 2016, section 3), per branch.

    Args:
        rate: Share of the examples that are zeroed, in [0, 1); the others are divided by 1 - rate.
    """

    kind: ClassVar[str] = "stochastic_depth"
    random: ClassVar[bool] = True
    rate: float

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the input's shape."""
        return inputs[0]

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.Dropout` with one random number per example."""
        return KerasLayer("Dropout", {"rate": self.rate, "noise_shape": (None, *(1 for _ in inputs[0]))})
