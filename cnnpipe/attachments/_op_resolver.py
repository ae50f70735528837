"""The operators of a model as LiteRT Micro registers them: exactly those that are used, for int8 alone where it can.

Names and signatures are those of `MicroMutableOpResolver` at commit 90b983c of github.com/tensorflow/tflite-micro.
"""

from __future__ import annotations

from collections.abc import Iterator

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.program import Operator, Program
from cnnpipe.targets._lite_rt_micro import resolver_method

INT8_ONLY = {
    "ADD": "add",
    "AVERAGE_POOL_2D": "pooling",
    "CONV_2D": "conv",
    "DEPTHWISE_CONV_2D": "depthwise_conv",
    "FULLY_CONNECTED": "fully_connected",
    "MAX_POOL_2D": "pooling",
    "MUL": "mul",
    "SOFTMAX": "softmax",
    "SVDF": "svdf",
    "TRANSPOSE_CONV": "transpose_conv",
}
"""Operators with a registration for int8 alone, which links less code, and its header below `micro/kernels`.

Every build has them: where there are no such kernels, the header falls back to the general registration."""


def includes(program: Program) -> list[str]:
    """Return the `#include` lines that the registrations need."""
    typed = {INT8_ONLY[name] for name in _names(program) if _int8_only(name, program)}
    headers = ["tensorflow/lite/micro/micro_mutable_op_resolver.h"]
    headers += [f"tensorflow/lite/micro/kernels/{name}.h" for name in sorted(typed)]
    return [f'#include "{header}"' for header in sorted(headers)]


def calls(program: Program) -> list[str]:
    """Return a call for each operator, as in `AddConv2D(tflite::Register_CONV_2D_INT8())`, sorted.

    Raises:
        ProblemError: LiteRT Micro has no such operator.
    """
    return sorted(_call(name, program) for name in _names(program))


def _names(program: Program) -> Iterator[str]:
    return iter(dict.fromkeys(operator.name for operator in program.operators))


def _call(name: str, program: Program) -> str:
    method = resolver_method(name)
    if method is None:
        raise ProblemError(Problem(f"LiteRT Micro has no operator {name}"))
    registration = f"tflite::Register_{name}_INT8()" if _int8_only(name, program) else ""
    return f"{method}({registration})"


def _int8_only(name: str, program: Program) -> bool:
    """Return whether there is a registration for int8 alone, and every operator of that name computes in int8."""
    return name in INT8_ONLY and all(_is_int8(one, program) for one in program.operators if one.name == name)


def _is_int8(operator: Operator, program: Program) -> bool:
    read = [program.tensors[position] for position in operator.inputs if position >= 0]
    written = [program.tensors[position] for position in operator.outputs]
    activations = [tensor for tensor in read if not tensor.constant] + written
    weights = [tensor for tensor in read if tensor.constant and len(tensor.shape) > 1]
    return all(tensor.dtype == "int8" for tensor in (*activations, *weights))
