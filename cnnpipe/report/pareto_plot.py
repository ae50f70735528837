"""The candidates of a search as a picture: the first objective against each other one, the best of them joined."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from cnnpipe.report.drawing import Drawing, Line, Rectangle, Text
from cnnpipe.report.tables import printable, short_number
from cnnpipe.tuning.records import LATENCY, SCORE, Objectives, Record

SIZE, LEFT, TOP, GAP, BOTTOM = 420, 80, 56, 96, 60
TICKS, MARGIN = 4, 0.06
DOT, FAINT, BEST, OTHER, GRID = 4.0, "#555555", "#c0392b", "#9db8d2", "#e4e4e4"
Shape = Rectangle | Line | Text
Scale = Callable[[float], float]


def draw_front(records: Sequence[Record], front: Sequence[Record], objectives: Objectives, title: str) -> Drawing:
    """Return the drawing.

    Args:
        records: All candidates that were trained.
        front: Those than which none is better.
        objectives: At least two; counts have logarithmic axes.
        title: What stands above.
    """
    first, *others = objectives.names
    shapes: list[Shape] = [Text(24, 28, printable(title), 15, bold=True)]
    for number, other in enumerate(others):
        left = LEFT + number * (SIZE + GAP)
        shapes += _panel(records, front, other, first, left, objectives)
    return Drawing(LEFT + len(others) * (SIZE + GAP), TOP + SIZE + BOTTOM, tuple(shapes))


def _panel(
    records: Sequence[Record], front: Sequence[Record], across: str, up: str, left: float, objectives: Objectives
) -> Iterator[Shape]:
    x, x_ticks = _scale([record.objectives[across] for record in records], across, left, SIZE)
    y, y_ticks = _scale([record.objectives[up] for record in records], up, TOP + SIZE, -SIZE)
    yield Rectangle(left, TOP, SIZE, SIZE, "#ffffff", FAINT, 0)
    for value in x_ticks:
        yield Line(((x(value), TOP), (x(value), TOP + SIZE)), color=GRID)
        yield Text(x(value) - 14, TOP + SIZE + 18, _number(value, across), 10, FAINT)
    for value in y_ticks:
        yield Line(((left, y(value)), (left + SIZE, y(value))), color=GRID)
        yield Text(left - 46, y(value) + 4, _number(value, up), 10, FAINT)
    yield Text(left + SIZE / 2 - 20, TOP + SIZE + 40, objectives.title(across), 11)
    yield Text(left, TOP - 8, objectives.title(up), 11)
    best = sorted({(x(r.objectives[across]), y(r.objectives[up])) for r in front})
    if len(best) > 1 and len(objectives.names) == 2:
        yield Line(tuple(best), color=BEST)
    numbers = {record.number for record in front}
    for record in sorted(records, key=lambda record: record.number in numbers):
        at, color = (
            (x(record.objectives[across]), y(record.objectives[up])),
            BEST if record.number in numbers else OTHER,
        )
        yield Rectangle(at[0] - DOT, at[1] - DOT, 2 * DOT, 2 * DOT, color, color, DOT)
        if record.number in numbers:
            yield Text(at[0] + 6, at[1] - 6, record.number, 9, FAINT)


def _scale(values: Sequence[float], name: str, start: float, length: float) -> tuple[Scale, list[float]]:
    """Return the place of a value on an axis, and the values that get a line."""
    log = name != SCORE and min(values) > 0
    turned = [math.log(value) if log else value for value in values]
    low, high = min(turned), max(turned)
    low, span = (low, high - low) if high > low else (low - 0.5, 1.0)

    def place(value: float) -> float:
        share = ((math.log(value) if log else value) - low) / span
        return start + length * (MARGIN + (1 - 2 * MARGIN) * share)

    ticks = [low + span * number / (TICKS - 1) for number in range(TICKS)]
    return place, [math.exp(tick) if log else tick for tick in ticks]


def _number(value: float, name: str) -> str:
    formats = {SCORE: f"{value:.3f}", LATENCY: f"{value:.3g}"}
    return formats[name] if name in formats else short_number(round(value))
