"""Multiply-adds of LiteRT's operators, from the shapes of their tensors."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Shape = tuple[int, ...]


def multiply_adds(
    operator: str, inputs: Sequence[Shape | None], output: Shape, options: Mapping[str, Any] | None = None
) -> int:
    """Return the products of a convolution or dense operator in one run; 0 for every other operator.

    Args:
        operator: LiteRT's name of it.
        inputs: Shapes of its inputs, weights included, in its own order; None for one that is left out.
        output: Shape of its first output.
        options: LiteRT's options of it; `BATCH_MATMUL` says there whether its first input is transposed.

    Raises:
        ValueError: It does not have the inputs that such an operator has.
    """
    if operator not in _PRODUCTS:
        return 0
    try:
        return _PRODUCTS[operator](inputs, output, options or {})
    except (IndexError, TypeError, ZeroDivisionError):  # an input is not there, or has too few axes
        shapes = ", ".join("none" if shape is None else str(list(shape)) for shape in inputs)
        raise ValueError(f"{operator} cannot have inputs of the shapes {shapes}") from None


def _convolution(inputs: Sequence[Any], output: Shape, options: Mapping[str, Any]) -> int:
    _, height, width, channels = _four(inputs[1])  # the filter: output channels first, those of one group last
    return int(math.prod(output) * height * width * channels)


def _depthwise(inputs: Sequence[Any], output: Shape, options: Mapping[str, Any]) -> int:
    _, height, width, _ = _four(inputs[1])
    return int(math.prod(output) * height * width)


def _transposed(inputs: Sequence[Any], output: Shape, options: Mapping[str, Any]) -> int:
    channels, height, width, _ = _four(inputs[1])  # input 0 is the shape of the output
    return int(math.prod(inputs[2]) * height * width * channels)


def _dense(inputs: Sequence[Any], output: Shape, options: Mapping[str, Any]) -> int:
    units, values = inputs[1][0], inputs[1][1]
    return int(math.prod(inputs[0]) // values * values * units)


def _product(inputs: Sequence[Any], output: Shape, options: Mapping[str, Any]) -> int:
    return math.prod(output) * int(inputs[0][-2 if options.get("adj_x") else -1])


def _four(shape: Shape) -> Shape:
    if len(shape) != 4:
        raise IndexError
    return shape


_PRODUCTS: dict[str, Callable[[Sequence[Any], Shape, Mapping[str, Any]], int]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "TRANSPOSE_CONV": _transposed,
    "FULLY_CONNECTED": _dense,
    "BATCH_MATMUL": _product,
}
