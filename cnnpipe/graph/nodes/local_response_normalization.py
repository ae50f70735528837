"""Normalization by the channels that lie beside a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cnnpipe.graph.arithmetic import spatial
from cnnpipe.graph.core import KerasLayer, NodeType, Shape


@dataclass(frozen=True)
class LocalResponseNormalization(NodeType):
    """x / (bias + alpha * sum) ** beta (Krizhevsky et al. 2012, section 3.3), which is what TensorFlow computes too.

    The sum is that of the squares of the channels up to `depth_radius` before and after, at the same position. In Keras
    it is a model of plain operations.

    Args:
        depth_radius: How many channels count on each side: 2 is the paper's n = 5.
        bias: The paper's k.
        alpha: Factor on the sum. Caffe divides its own by the number of channels that count.
        beta: The power: 0.5 or 0.75.
    """

    kind: ClassVar[str] = "local_response_normalization"
    depth_radius: int = 2
    bias: float = 2.0
    alpha: float = 1e-4
    beta: float = 0.75

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the input's shape."""
        spatial(inputs[0], "normalizes by near channels", (2,))
        return inputs[0]

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return the function that makes the model."""
        numbers = {"depth_radius": self.depth_radius, "bias": self.bias, "alpha": self.alpha, "beta": self.beta}
        where = "cnnpipe.layers.local_response_normalization"
        return KerasLayer(f"{where}.local_response_normalization", {"shape": inputs[0], **numbers})
