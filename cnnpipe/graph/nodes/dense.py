"""Dense: every output value is a weighted sum of all channels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from cnnpipe.graph.arithmetic import layer
from cnnpipe.graph.core import KerasLayer, NodeType, Shape, Window


@dataclass(frozen=True)
class Dense(NodeType):
    """`keras.layers.Dense`. On a map it works on the channels of each position, like a 1x1 convolution.

    Args:
        units: Channels of the output.
        use_bias: Add a learned number per unit.
    """

    kind: ClassVar[str] = "dense"
    units: int
    use_bias: bool = True

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (..., units)."""
        return (*inputs[0][:-1], self.units)

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.Dense`."""
        return layer("Dense", {"units": self.units}, use_bias=(self.use_bias, True))

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Return kernel (channels, units) and bias (units)."""
        kernel = (inputs[0][-1], self.units)
        return {"kernel": kernel, "bias": (self.units,)} if self.use_bias else {"kernel": kernel}

    def macs(self, *inputs: Shape) -> int:
        """Return positions x channels x units."""
        return math.prod(inputs[0]) * self.units

    def window(self, *inputs: Shape) -> Window | None:
        """Return None for a vector, else that each position reads itself."""
        return None if len(inputs[0]) == 1 else super().window(*inputs)
