"""Activations."""

from __future__ import annotations

from collections.abc import Sequence

from cnnpipe.graph.lowering.draft import Draft, Value, lowers
from cnnpipe.graph.nodes.activation import Activation

ONE_OPERATOR = {
    "relu": "RELU",
    "relu6": "RELU6",
    "sigmoid": "LOGISTIC",
    "tanh": "TANH",
    "softmax": "SOFTMAX",
    "hard_silu": "HARD_SWISH",
    "hard_swish": "HARD_SWISH",
}
"""Activations that are one operator of LiteRT."""


@lowers(Activation)
def activation(node: Activation, draft: Draft, reads: Sequence[Value]) -> Value:
    """One operator of that name, LOGISTIC and MUL for silu, nothing for linear."""
    (value,) = reads
    if node.activation == "linear":
        return value
    if node.activation in ("silu", "swish"):
        return draft.emit("MUL", value, draft.emit("LOGISTIC", value))
    if node.activation not in ONE_OPERATOR:
        raise draft.not_predicted(f"the operators of the activation {node.activation}")
    return draft.emit(ONE_OPERATOR[node.activation], value)
