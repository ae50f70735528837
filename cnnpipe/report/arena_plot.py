"""The plan of an arena as a picture: memory from left to right, time downwards, a box for each piece."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cnnpipe.program import Arena, Buffer, Program
from cnnpipe.report.drawing import Drawing, Line, Rectangle, Text, write_picture
from cnnpipe.report.tables import printable
from cnnpipe.report.tables import shape as as_shape

ROW, WIDTH, LEFT, TOP, MARGIN = 22, 760, 330, 78, 24
LETTER = 5.4
"""Width of a letter of size 10, on average."""
COLORS = {"input": "#fff3a8", "output": "#cdebcf", "scratch": "#e0e0e0", "tensor": "#cfe3f7"}
PEAK, GRID, FAINT = "#fbdcd6", "#e4e4e4", "#555555"
TICKS = 5


@dataclass(frozen=True)
class _Scale:
    head: int

    def x(self, offset: int) -> float:
        return LEFT + WIDTH * offset / max(1, self.head)


def plot_arena(program: Program, arena: Arena, title: str, file: Path) -> None:
    """Draw the head of an arena and write the picture.

    Args:
        program: The program.
        arena: Its plan.
        title: What stands above.
        file: Ends in .svg or .png, which is its format.

    Raises:
        ProblemError: The file has another ending, or cannot be written, or the picture is too long for a PNG.
    """
    write_picture(draw_arena(program, arena, title), file)


def draw_arena(program: Program, arena: Arena, title: str) -> Drawing:
    """Return the drawing: a row for each operator, a box for each tensor and scratch buffer while it lives."""
    scale, rows = _Scale(arena.head), max(1, len(program.operators))
    bottom = TOP + rows * ROW
    shapes = [
        Text(MARGIN, 26, printable(title), 15, bold=True),
        Rectangle(MARGIN, TOP + arena.peak * ROW, scale.x(arena.head) - MARGIN, ROW, PEAK, PEAK, 0),
        *_axis(scale, bottom),
        *_names(program),
    ]
    for buffer in arena.buffers:
        shapes += _box(program, buffer, scale)
    shapes += _legend(bottom + 26)
    return Drawing(LEFT + WIDTH + 2 * MARGIN + 50, bottom + 50, tuple(shapes))


def _axis(scale: _Scale, bottom: float) -> Iterator[Line | Text]:
    for tick in range(TICKS):
        offset = scale.head * tick // (TICKS - 1)
        x = scale.x(offset)
        yield Line(((x, TOP - 6), (x, bottom)), color=GRID)
        yield Text(x - 3, TOP - 12, f"{offset:,}", 10, FAINT)
    yield Text(MARGIN, TOP - 12, "operator", 10, FAINT)
    yield Text(LEFT - 52, TOP - 12, "bytes", 10, FAINT)


def _names(program: Program) -> Iterator[Text]:
    for step, operator in enumerate(program.operators):
        y = TOP + step * ROW + 15
        yield Text(MARGIN, y, str(step), 10, FAINT)
        yield Text(
            MARGIN + 30, y, _cut(printable(f"{operator.name}  {operator.layer}").strip(), LEFT - MARGIN - 40), 10
        )


def _box(program: Program, buffer: Buffer, scale: _Scale) -> Iterator[Rectangle | Text]:
    left, right = scale.x(buffer.offset), scale.x(buffer.offset + buffer.bytes)
    first = TOP + buffer.first * ROW
    rows = buffer.last - buffer.first + 1
    yield Rectangle(
        left + 0.5, first + 1, max(1.0, right - left - 1), rows * ROW - 2, _color(program, buffer), FAINT, 2
    )
    fitting = (label for label in _labels(program, buffer) if len(label) * LETTER < right - left - 8)
    yield Text(left + 5, first + 15, next(fitting, ""), 10)


def _labels(program: Program, buffer: Buffer) -> tuple[str, ...]:
    """Return what may stand in a box, the longest first: bytes, shape without the batch, type."""
    size = f"{buffer.bytes:,}"
    if buffer.tensor is None:
        return f"{size}  scratch", size
    tensor = program.tensors[buffer.tensor]
    with_shape = f"{size}  {as_shape(tensor.shape[1:])}"
    return f"{with_shape} {tensor.dtype}", with_shape, size


def _color(program: Program, buffer: Buffer) -> str:
    if buffer.tensor is None:
        return COLORS["scratch"]
    if buffer.tensor in program.inputs:
        return COLORS["input"]
    return COLORS["output" if buffer.tensor in program.outputs else "tensor"]


def _legend(y: float) -> Iterator[Rectangle | Text]:
    for number, (kind, color) in enumerate([*COLORS.items(), ("largest here", PEAK)]):
        x = LEFT + 120 * number
        yield Rectangle(x, y - 10, 14, 12, color, FAINT, 2)
        yield Text(x + 20, y, kind, 10, FAINT)


def _cut(words: str, width: float) -> str:
    """Return as many letters as fit."""
    room = int(width / LETTER)
    return words if len(words) <= room else words[: room - 1] + "…"
