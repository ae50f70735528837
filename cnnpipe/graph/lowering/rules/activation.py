"""Activations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from cnnpipe.graph.lowering.draft import Constant, Draft, Value, lowers
from cnnpipe.graph.nodes.activation import Activation

ONE_OPERATOR = {
    "relu": "RELU",
    "relu6": "RELU6",
    "leaky_relu": "LEAKY_RELU",
    "elu": "ELU",
    "sigmoid": "LOGISTIC",
    "tanh": "TANH",
    "softmax": "SOFTMAX",
    "hard_silu": "HARD_SWISH",
    "hard_swish": "HARD_SWISH",
    "gelu": "GELU",
    "exponential": "EXP",
}
"""Activations that are one operator of LiteRT."""
SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772
"""The two numbers of selu (Klambauer et al. 2017)."""


@lowers(Activation)
def activation(node: Activation, draft: Draft, reads: Sequence[Value]) -> Value:
    """One operator of that name, or several."""
    if node.activation in SEVERAL_OPERATORS:
        return SEVERAL_OPERATORS[node.activation](draft, reads[0])
    if node.activation not in ONE_OPERATOR:
        raise draft.not_predicted(f"the operators of the activation {node.activation}")
    return draft.emit(ONE_OPERATOR[node.activation], reads[0])


def _silu(draft: Draft, value: Value) -> Value:
    return draft.emit("MUL", value, draft.emit("LOGISTIC", value))


def _hard_sigmoid(draft: Draft, value: Value) -> Value:
    moved = draft.emit("ADD", value, _number(draft, 3.0))
    return draft.emit("MUL", draft.emit("RELU6", moved), _number(draft, 1 / 6))


def _softplus(draft: Draft, value: Value) -> Value:
    return draft.emit("LOG", draft.emit("ADD", draft.emit("EXP", value), _number(draft, 1.0)))


def _mish(draft: Draft, value: Value) -> Value:
    return draft.emit("MUL", value, draft.emit("TANH", _softplus(draft, value)))


def _softsign(draft: Draft, value: Value) -> Value:
    return draft.emit("DIV", value, draft.emit("ADD", draft.emit("ABS", value), _number(draft, 1.0)))


def _selu(draft: Draft, value: Value) -> Value:
    positive = draft.emit("GREATER", value, _number(draft, 0.0), dtype="bool")
    large = draft.emit("MUL", value, _number(draft, SCALE))
    small = draft.emit("SUB", draft.emit("EXP", value), _number(draft, 1.0))
    return draft.emit("SELECT", positive, large, draft.emit("MUL", small, _number(draft, SCALE * ALPHA)))


def _number(draft: Draft, number: float) -> Constant:
    return draft.numbers((), number)


SEVERAL_OPERATORS: Mapping[str, Callable[[Draft, Value], Value]] = {
    "linear": lambda draft, value: value,
    "silu": _silu,
    "swish": _silu,
    "hard_sigmoid": _hard_sigmoid,
    "softplus": _softplus,
    "mish": _mish,
    "softsign": _softsign,
    "selu": _selu,
}
"""Activations that are no operator of LiteRT, or several."""
