"""Networks as points: multiply-adds against parameters, both logarithmic, with memory as area."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnpipe.report.drawing import Drawing, Line, Rectangle, Text, write_picture
from cnnpipe.report.label_placement import GAP, Box, Spot, place_labels
from cnnpipe.report.tables import byte_size, printable, short_number

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 1100, 760, 84, 64, 24, 64
LARGEST, SMALLEST = 30.0, 3.0
"""Radius in pixels of the network with most memory, and of the smallest point that can still be seen."""
SIZE, LETTER = 11, 0.58
"""Size of names, and the width of a letter in sizes."""
FILL, STROKE, GRID, FAINT = "#cfe3f7", "#35699c", "#e4e4e4", "#555555"
STEPS = (1, 2, 5)


@dataclass(frozen=True)
class Point:
    """A network in the chart; `macs` and `parameters` of at least 1."""

    name: str
    macs: int
    parameters: int
    memory: int


@dataclass(frozen=True)
class _Axis:
    """A logarithmic axis from `start` to `end` pixels."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> Iterator[tuple[float, bool]]:
        """Yield marked values, with whether their number is written: only powers of ten where there are many."""
        many = self.high - self.low > 2.5
        for power in range(math.floor(self.low), math.ceil(self.high) + 1):
            for step in STEPS:
                if self.low <= math.log10(step) + power <= self.high:
                    yield step * 10.0**power, step == 1 or not many


def plot_scatter(points: Sequence[Point], file: Path) -> None:
    """Draw networks as points and write the picture.

    Args:
        points: The networks.
        file: Ends in .svg or .png, which is its format.

    Raises:
        ProblemError: The file has another ending, or cannot be written.
    """
    write_picture(draw_scatter(points), file)


def draw_scatter(points: Sequence[Point]) -> Drawing:
    """Return the chart: each network a disc whose area is its memory, with its name beside it."""
    across = _axis([point.macs for point in points], LEFT, WIDTH - RIGHT)
    down = _axis([point.parameters for point in points], HEIGHT - BOTTOM, TOP)
    most = max(point.memory for point in points)
    spots = [
        Spot(
            across.at(max(1, point.macs)),
            down.at(max(1, point.parameters)),
            max(SMALLEST, LARGEST * math.sqrt(point.memory / most)),
            len(printable(point.name)) * SIZE * LETTER,
            SIZE + 3,
        )
        for point in points
    ]
    labels = place_labels(spots, Box(LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM))
    largest_first = sorted(range(len(points)), key=lambda number: -spots[number].radius)
    shapes = [
        *_frame(across, down, most),
        *(_disc(spots[number]) for number in largest_first),
        *(line for spot, label in zip(spots, labels, strict=True) for line in _leader(spot, label)),
        *(
            Text(label.x, label.y + SIZE, printable(point.name), SIZE)
            for point, label in zip(points, labels, strict=True)
        ),
    ]
    return Drawing(WIDTH, HEIGHT, tuple(shapes))


def _axis(values: Sequence[int], start: float, end: float) -> _Axis:
    """Return an axis that holds all values with room at both ends."""
    low, high = math.log10(max(1, min(values))), math.log10(max(1, *values))
    room = max(0.08 * (high - low), 0.15)
    return _Axis(low - room, high + room, start, end)


def _disc(spot: Spot) -> Rectangle:
    side = 2 * spot.radius
    return Rectangle(spot.x - spot.radius, spot.y - spot.radius, side, side, FILL, STROKE, spot.radius)


def _leader(spot: Spot, label: Box) -> Iterator[Line]:
    """Yield a line from a point to a name that does not stand beside it."""
    x = min(max(spot.x, label.x), label.x + label.width)
    y = min(max(spot.y, label.y), label.y + label.height)
    if math.hypot(x - spot.x, y - spot.y) > spot.radius + 2 * GAP:
        yield Line(((spot.x, spot.y), (x, y)), color="#777777")


def _frame(across: _Axis, down: _Axis, most: int) -> Iterator[Rectangle | Line | Text]:
    for value, written in across.ticks():
        yield Line(((across.at(value), TOP), (across.at(value), HEIGHT - BOTTOM)), color=GRID)
        if written:
            words = short_number(round(value))
            yield Text(across.at(value) - _width(words) / 2, HEIGHT - BOTTOM + 17, words, SIZE, FAINT)
    for value, written in down.ticks():
        yield Line(((LEFT, down.at(value)), (WIDTH - RIGHT, down.at(value))), color=GRID)
        if written:
            words = short_number(round(value))
            yield Text(LEFT - 8 - _width(words), down.at(value) + 4, words, SIZE, FAINT)
    yield Text(24, 30, "parameters", 13, bold=True)
    words = "multiply-adds for one example"
    yield Text(WIDTH - RIGHT - 13 * LETTER * len(words), HEIGHT - 16, words, 13, bold=True)
    area = f"area: float32 activations alive at the peak; the largest disc is {byte_size(most)}"
    yield Text(LEFT + 60, 30, area, 12, FAINT)


def _width(words: str) -> float:
    return len(words) * SIZE * LETTER
