"""What the Edge TPU runs, as a table. Its compiler, 16.0, is the last: nothing was added since 2021.

Source: "TensorFlow models on the Edge TPU", coral.ai/docs/edgetpu/models-intro. Limits that depend on sizes in ways
that the page does not state (reshapes and resizes of large tensors) are not here, nor are those on the values of
constants (strides of slices, zeros in concatenations); only the compiler knows them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cnnpipe.program import Operator, Program, Tensor

_Rule = tuple[str, Callable[[Operator, Tensor, Tensor], bool]]

INTEGERS = ("int8", "uint8")
_SAME_BATCH: _Rule = ("works on the batch", lambda op, x, y: x.shape[:1] == y.shape[:1])
_NO_ACTIVATION: _Rule = ("has an activation fused into it", lambda op, x, y: not _fused(op))
_ONE_DILATION: _Rule = ("has another dilation in height than in width", lambda op, x, y: len(set(_dilation(op))) == 1)
_NO_DILATION: _Rule = ("is dilated", lambda op, x, y: set(_dilation(op)) == {1})
_VECTOR: _Rule = ("makes more than a vector", lambda op, x, y: _axes(y) <= 1)
_SMALL_VECTOR: _Rule = (
    "reads more than a vector of 16,000 values",
    lambda op, x, y: _axes(x) <= 1 and x.bytes <= 16_000,
)
RULES: Mapping[str, tuple[_Rule, ...]] = {
    **dict.fromkeys(
        "ADD EXPAND_DIMS L2_NORMALIZATION LOGISTIC MAXIMUM MINIMUM MUL PRELU QUANTIZE RELU RELU6 RELU_N1_TO_1 RESHAPE "
        "RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR RSQRT SLICE SPACE_TO_DEPTH SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE "
        "SUB TANH TRANSPOSE TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM".split(),
        (),
    ),
    "AVERAGE_POOL_2D": (_NO_ACTIVATION,),
    "CONCATENATION": (_NO_ACTIVATION,),
    "CONV_2D": (_ONE_DILATION,),
    "DEPTHWISE_CONV_2D": (_NO_DILATION,),
    "FULLY_CONNECTED": (_VECTOR,),
    "MAX_POOL_2D": (_NO_ACTIVATION,),
    "MEAN": (_SAME_BATCH,),
    "PACK": (_SAME_BATCH,),
    "PAD": (_SAME_BATCH,),
    "REDUCE_MAX": (_SAME_BATCH,),
    "REDUCE_MIN": (_SAME_BATCH,),
    "SOFTMAX": (_SMALL_VECTOR,),
    "SPLIT": (_SAME_BATCH,),
    "SUM": (_SAME_BATCH,),
}
"""The operators that it runs, each with the rules that it must keep: why it does not run, and what must hold."""


def unmapped(program: Program) -> tuple[int, str] | None:
    """Return the first operator that cannot run there, with the reason; None when all can.

    The compiler maps one contiguous piece: this operator sends itself and all after it to the CPU.
    """
    for position, operator in enumerate(program.operators):
        if reason := _reason(operator, program):
            return position, reason
    return None


def _reason(operator: Operator, program: Program) -> str:
    if operator.name not in RULES:
        return "is none of its operators"
    read = [program.tensors[position] for position in operator.inputs if position >= 0]
    made = [program.tensors[position] for position in operator.outputs]
    for tensor in (*(tensor for tensor in read if not tensor.constant), *made):
        if tensor.dtype not in INTEGERS:
            return f"works on {tensor.dtype}"
        if any(size > 1 for size in tensor.shape[:-3]):
            return f"works on a tensor of the shape {'x'.join(map(str, tensor.shape))}"
    if not read or not made:
        return "reads or makes nothing"
    return next((why for why, holds in RULES[operator.name] if not holds(operator, read[0], made[0])), "")


def _axes(tensor: Tensor) -> int:
    return sum(size > 1 for size in tensor.shape)


def _fused(operator: Operator) -> bool:
    return bool(operator.options.get("fused_activation_function", "NONE") != "NONE")


def _dilation(operator: Operator) -> tuple[int, int]:
    return operator.options.get("dilation_h_factor", 1), operator.options.get("dilation_w_factor", 1)
