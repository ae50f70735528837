"""The tensor arena of LiteRT Micro: where its greedy planner puts every tensor, and how large the whole becomes.

The planner (GreedyMemoryPlanner in the LiteRT Micro sources) takes buffers by falling size and puts each at the lowest
offset where it meets no placed buffer that lives at the same time. What it makes is the arena's head. The tail holds
what stays for good: descriptions of tensors and operators.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cnnpipe.program.core import Operator, Program

ALIGNMENT = 16
"""To how many bytes sizes are rounded up."""
PER_CHANNEL = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED")
"""Operators that keep a multiplier and a shift for every output channel in the tail."""


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
        head: Bytes of tensors and scratch; exact for the reference kernels of the operators in `SCRATCH` and of those
            that need no scratch.
        tail: Bytes of what stays for good, estimated for a host of 64 bits (within 5 % on the files it was fitted on).
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
    return Arena(tuple(placed), head, _tail(program), _peak(placed, top, len(program.operators)))


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
    if not operator.outputs:
        return []
    output = program.tensors[operator.outputs[0]]
    values = output.bytes if output.dtype in ("int8", "uint8") else 0
    if operator.name == "TRANSPOSE_CONV" and values:
        return [4 * values]  # 32-bit sums of the whole output
    if operator.name == "MEAN" and values:
        return [4 * values, 16, 8]
    return []


def _rounded(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _tail(program: Program) -> int:
    channels = sum(
        program.tensors[operator.outputs[0]].shape[-1] if program.tensors[operator.outputs[0]].shape else 1
        for operator in program.operators
        if operator.name in PER_CHANNEL
    )
    return 75 * len(program.operators) + 56 * len(program.tensors) + 8 * channels + 735
