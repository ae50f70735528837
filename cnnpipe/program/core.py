"""The program's data. Everything is frozen; positions are indices into `Program.tensors` and `Program.operators`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

WIDTHS = {
    "float32": 4, "float16": 2, "int32": 4, "uint8": 1, "int64": 8, "string": 1, "bool": 1, "int16": 2, "complex64": 8,
    "int8": 1, "float64": 8, "complex128": 16, "uint64": 8, "resource": 4, "variant": 4, "uint32": 4, "uint16": 2,
    "int4": 1, "bfloat16": 2, "int2": 1, "uint4": 1, "float8_e4m3fn": 1, "float8_e5m2": 1,
}  # fmt: skip
"""Bytes of one value, by type."""


@dataclass(frozen=True)
class Tensor:
    """A tensor.

    Args:
        name: Its name in the file; may be empty where a program is predicted.
        shape: Its shape, the batch included.
        dtype: Type of its values, such as `int8`.
        constant: Whether its values are stored in the file.
        scales: How many quantization scales it has: 0 none, 1 one for all values, else one per channel.
        variable: Whether it keeps its values from one run to the next.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    constant: bool = False
    scales: int = 0
    variable: bool = False

    @property
    def bytes(self) -> int:
        """Size of its values."""
        return math.prod(self.shape) * WIDTHS[self.dtype]


@dataclass(frozen=True)
class Operator:
    """One step of a program.

    Args:
        name: LiteRT's name of the builtin operator, such as `CONV_2D`; the custom name of a custom operator.
        inputs: Positions of the tensors that it reads, constants included; -1 for an optional one that is left out.
        outputs: Positions of the tensors that it writes.
        macs: Multiply-adds of convolutions and dense layers for one example; biases do not count.
        options: LiteRT's own options of the operator, as far as they are known.
        layer: Name of the network's layer that it computes, as in `n012_convolution`; empty when unknown.
    """

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    macs: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    layer: str = ""


@dataclass(frozen=True)
class Program:
    """A program.

    Args:
        tensors: All tensors.
        operators: The operators in the order in which they run.
        inputs: Positions of the input tensors.
        outputs: Positions of the output tensors.
    """

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    @property
    def macs(self) -> int:
        """Multiply-adds of all operators for one example."""
        return sum(operator.macs for operator in self.operators)

    @property
    def constant_bytes(self) -> int:
        """Bytes of all values that are stored in the file."""
        return sum(tensor.bytes for tensor in self.tensors if tensor.constant)
