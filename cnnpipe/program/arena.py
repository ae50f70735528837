"""The tensor arena of LiteRT Micro: where its greedy planner puts every tensor, and how large the whole becomes.

The planner (GreedyMemoryPlanner in the LiteRT Micro sources) takes buffers by falling size and puts each at the lowest
offset where it meets no placed buffer that lives at the same time. What it makes is the arena's head. The tail holds
what stays for good: descriptions of tensors and operators. Where the head is small, planning it takes more than the
head itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from cnnpipe.program.core import Operator, Program

ALIGNMENT = 16
"""To how many bytes sizes are rounded up."""
BASE = 519
"""Bytes of the tail that every program takes, on a host of 64 bits."""
TENSOR, OPERATOR, END, QUANTIZED_END = 24, 64, 64, 32
"""Bytes of the tail for each tensor, operator, input or output, and for the scale of an input or output."""
KEPT = {
    "ABS": 32, "ADD": 72, "ARG_MAX": 0, "AVERAGE_POOL_2D": 74, "BATCH_MATMUL": 127, "CONCATENATION": 88, "CONV_2D": 112,
    "DEPTHWISE_CONV_2D": 113, "DEQUANTIZE": 17, "DIV": 32, "ELU": 269, "EXP": 6, "FULLY_CONNECTED": 111,
    "HARD_SWISH": 35, "LEAKY_RELU": 34,
    "LOG": 0, "LOGISTIC": 20, "MAX_POOL_2D": 69, "MEAN": 57, "MUL": 50, "NEG": 0, "PAD": 63, "QUANTIZE": 17,
    "REDUCE_MAX": 66, "RELU": 27, "RELU6": 12, "RESHAPE": 37, "RESIZE_BILINEAR": 2, "RESIZE_NEAREST_NEIGHBOR": 5,
    "RSQRT": 46, "SOFTMAX": 85, "SQUARE": 16, "SQUARED_DIFFERENCE": 122, "STRIDED_SLICE": 118, "SUB": 74, "TANH": 17,
    "TRANSPOSE": 0, "TRANSPOSE_CONV": 112,
}  # fmt: skip
"""Bytes of the tail that each operator keeps for itself: least squares over 462 programs, off by at most 49 in all."""
CHANNEL_AXIS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": -1, "TRANSPOSE_CONV": 0, "FULLY_CONNECTED": 0}
"""Operators that keep two numbers for each output channel, and the axis of the channels in their weights."""
OTHERWISE = 64
"""What an operator that is not in `KEPT` is taken to keep."""
QUANTIZED_PRODUCT = 44
"""Bytes that the product of two quantized tensors keeps besides."""
PLANNING, PLANNED_TENSOR, PLANNED_BUFFER, PLANNED_SCRATCH = 176, 32, 40, 16
"""Bytes that planning takes at the head's place: always, and for each tensor and scratch, buffer, and scratch alone."""


@dataclass(frozen=True)
class Buffer:
    """A piece of the arena's head.

    Args:
        tensor: Position of the tensor that it holds; None for the scratch memory of an operator.
        operator: Position of the operator that writes it, or whose scratch it is; -1 for an input of the program.
        offset: Where it begins, in bytes.
        bytes: Its size, rounded up to `ALIGNMENT`.
        first: Position of the first operator during which it is needed.
        last: Position of the last one.
    """

    tensor: int | None
    operator: int
    offset: int
    bytes: int
    first: int
    last: int


@dataclass(frozen=True)
class Arena:
    """The planned arena.

    Args:
        buffers: All pieces of the head, in the order in which they were placed.
        head: Bytes of tensors and scratch; exact for the reference kernels of the operators in `KEPT`.
        tail: Bytes of what stays for good, and what planning takes beyond the head, estimated for a host of 64 bits; a
            board of 32 bits needs less.
        peak: Position of the operator during which the highest end of a buffer is in use: it sets the head.
    """

    buffers: tuple[Buffer, ...]
    head: int
    tail: int
    peak: int

    @property
    def total(self) -> int:
        """Bytes of the whole arena."""
        return self.head + self.tail

    def alive(self, step: int) -> int:
        """Return the bytes of all pieces of the head that are needed during an operator."""
        return sum(buffer.bytes for buffer in self.buffers if buffer.first <= step <= buffer.last)


def plan_arena(program: Program) -> Arena:
    """Plan the arena of a program with static shapes, as LiteRT Micro's reference build does."""
    placed: list[Buffer] = []
    for buffer in sorted(_buffers(program), key=lambda buffer: -buffer.bytes):
        offset = _lowest_gap(buffer, placed)
        placed.append(Buffer(buffer.tensor, buffer.operator, offset, buffer.bytes, buffer.first, buffer.last))
    top = max(placed, key=lambda buffer: buffer.offset + buffer.bytes, default=None)
    head = top.offset + top.bytes if top else 0
    tail = _tail(program) + max(0, _planning(program, placed) - head)
    return Arena(tuple(placed), head, tail, _peak(placed, top, len(program.operators)))


def _lowest_gap(buffer: Buffer, placed: list[Buffer]) -> int:
    offset = 0
    for other in sorted(placed, key=lambda other: (other.offset, other.bytes, other.first, other.last)):
        if other.first <= buffer.last and buffer.first <= other.last:
            if offset + buffer.bytes <= other.offset:
                break
            offset = max(offset, other.offset + other.bytes)
    return offset


def _peak(placed: list[Buffer], top: Buffer | None, steps: int) -> int:
    """Return the step within the life of the topmost buffer during which most bytes are alive."""
    if top is None:
        return 0
    alive = {
        step: sum(buffer.bytes for buffer in placed if buffer.first <= step <= buffer.last)
        for step in range(top.first, min(top.last, steps - 1) + 1)
    }
    return max(alive, key=lambda step: alive[step])


def _buffers(program: Program) -> Iterator[Buffer]:
    """Yield all buffers, not placed yet, in the planner's order: scratch and tensors, those that come later first."""
    first, last, writer = _lives(program)
    scratch = [
        Buffer(None, step, 0, _rounded(size), step, step)
        for step, operator in enumerate(program.operators)
        for size in scratch_bytes(operator, program)
    ]
    yield from reversed(scratch)
    for position in reversed(range(len(program.tensors))):
        tensor = program.tensors[position]
        if not tensor.constant and not tensor.variable and position in first:
            size = _rounded(tensor.bytes)
            yield Buffer(position, writer[position], 0, size, first[position], last.get(position, first[position]))


def _lives(program: Program) -> tuple[dict[int, int], dict[int, int], dict[int, int]]:
    """Return the first and last step that need each tensor, and the step that writes it."""
    first = dict.fromkeys(program.inputs, 0)
    writer = dict.fromkeys(program.inputs, -1)
    last: dict[int, int] = {}
    for step, operator in enumerate(program.operators):
        for position in operator.outputs:
            first.setdefault(position, step)
            writer.setdefault(position, step)
            last.setdefault(position, step)
        last.update({position: step for position in operator.inputs if position >= 0})
    last.update({position: len(program.operators) - 1 for position in program.outputs})
    return first, last, writer


def scratch_bytes(operator: Operator, program: Program) -> list[int]:
    """Return what the reference kernel of an operator asks for while it runs, in the order in which it asks."""
    find = SCRATCH.get(operator.name)
    return find(operator, program) if find and operator.outputs else []


def _transposed_convolution_scratch(operator: Operator, program: Program) -> list[int]:
    """Return the bytes of the sums of the whole output: 32 bits each, 64 where values have 16."""
    output = program.tensors[operator.outputs[0]]
    sums = {"int8": 4, "int16": 8}
    return [sums[output.dtype] * math.prod(output.shape)] if output.dtype in sums else []


def _mean_scratch(operator: Operator, program: Program) -> list[int]:
    """Return the bytes of the sums of a quantized output, then what every reduction asks for."""
    output = program.tensors[operator.outputs[0]]
    sums = [4 * math.prod(output.shape)] if output.dtype in ("int8", "int16") else []
    return [*sums, *_reduction_scratch(operator, program)]


def _reduction_scratch(operator: Operator, program: Program) -> list[int]:
    """Return the bytes of a number for each axis of the input, and for each axis that is reduced."""
    values, axes = (program.tensors[position] for position in operator.inputs[:2])
    return [4 * len(values.shape), 4 * math.prod(axes.shape)]


SCRATCH: Mapping[str, Callable[[Operator, Program], list[int]]] = {
    "TRANSPOSE_CONV": _transposed_convolution_scratch,
    "MEAN": _mean_scratch,
    "REDUCE_MAX": _reduction_scratch,
}
"""Kernels that need memory while they run."""


def _rounded(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _tail(program: Program) -> int:
    return (
        BASE
        + TENSOR * len(program.tensors)
        + _ends(program)
        + sum(_kept_bytes(operator, program) for operator in program.operators)
    )


def _ends(program: Program) -> int:
    ends = [program.tensors[position] for position in (*program.inputs, *program.outputs)]
    return sum(END + QUANTIZED_END * (tensor.scales > 0) for tensor in ends)


def _planning(program: Program, buffers: list[Buffer]) -> int:
    """Return what the runtime needs to plan the head; inputs and outputs take their part of the tail only later."""
    scratch = sum(buffer.tensor is None for buffer in buffers)
    described = PLANNED_TENSOR * (len(program.tensors) + scratch)
    return PLANNING + described + PLANNED_BUFFER * len(buffers) + PLANNED_SCRATCH * scratch - _ends(program)


def _kept_bytes(operator: Operator, program: Program) -> int:
    handles = 8 * len(scratch_bytes(operator, program))
    kept = OPERATOR + KEPT.get(operator.name, OTHERWISE) + handles + 2 * _rounded(4 * _channels(operator, program))
    return kept + _copied(operator, program)


def _copied(operator: Operator, program: Program) -> int:
    """Return the bytes of the transposed copy of the second factor that a product of two tensors keeps for good."""
    if operator.name != "BATCH_MATMUL" or len(operator.inputs) < 2:
        return 0
    factor = program.tensors[operator.inputs[1]]
    return factor.bytes + QUANTIZED_PRODUCT * (factor.scales > 0)


def _channels(operator: Operator, program: Program) -> int:
    """Return for how many output channels an operator keeps a multiplier and a shift."""
    if operator.name not in CHANNEL_AXIS or len(operator.inputs) < 2:
        return 0
    weights = program.tensors[operator.inputs[1]]
    alone = operator.name == "FULLY_CONNECTED" and weights.scales < 2
    return 0 if alone or not weights.shape else weights.shape[CHANNEL_AXIS[operator.name]]
