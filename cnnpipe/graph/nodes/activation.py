"""Activations: a function of one value, or of the channels of one position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from cnnpipe.graph.core import KerasLayer, NodeType, Shape

ActivationName = Literal[
    "relu", "relu6", "leaky_relu", "elu", "selu", "sigmoid", "hard_sigmoid", "tanh", "softmax", "softplus", "softsign",
    "silu", "swish", "hard_silu", "hard_swish", "gelu", "mish", "exponential", "linear",
]  # fmt: skip
"""Names of `keras.activations`; `swish` and `hard_swish` are its other names of `silu` and `hard_silu`."""


@dataclass(frozen=True)
class Activation(NodeType):
    """`keras.layers.Activation`: the function of that name in `keras.activations`, with its default arguments."""

    kind: ClassVar[str] = "activation"
    activation: ActivationName

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the input's shape."""
        return inputs[0]

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return `keras.layers.Activation`."""
        return KerasLayer("Activation", {"activation": self.activation})
