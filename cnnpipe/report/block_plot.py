"""A network as a picture for one page: a box per block, in it what the block is made of, repetitions counted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnpipe.graph import Graph
from cnnpipe.graph.arithmetic import text
from cnnpipe.graph.outline import Stage, outline
from cnnpipe.report.drawing import Drawing, Line, Rectangle, Text, write_picture
from cnnpipe.report.part_drawing import Piece, Shape, in_line, words_width
from cnnpipe.report.tables import printable

LABEL, FIGURES, PAD, BETWEEN, MARGIN, GUTTER, TITLE = 120, 130, 10, 16, 24, 44, 30
"""Pixels for names and figures left and right in a box, around what is in it, between boxes, and around all."""
PAGE = math.sqrt(2)
"""The long side of a page by its short one."""
MOST_COLUMNS = 6
BOX, BORDER, FAINT = "#f3f3f3", "#d8d8d8", "#555555"


@dataclass(frozen=True)
class _Box:
    """A stage that is drawn: its label, lines of figures, and what is in it."""

    label: tuple[str, ...]
    figures: tuple[str, ...]
    inside: Piece

    @property
    def height(self) -> float:
        """Height in pixels."""
        return max(self.inside.height, 15 * max(len(self.label), len(self.figures))) + 2 * PAD


def plot_blocks(graphs: Mapping[str, Graph], title: str, file: Path) -> None:
    """Draw networks by blocks, side by side, and write the picture.

    Args:
        graphs: The networks by name.
        title: What stands above.
        file: Ends in .svg or .png, which is its format.

    Raises:
        ProblemError: The file has another ending, or cannot be written.
    """
    write_picture(draw_blocks(graphs, title), file)


def draw_blocks(graphs: Mapping[str, Graph], title: str) -> Drawing:
    """Return the drawing: blocks from top to bottom, in as many columns as suit a page."""
    left: float = MARGIN
    height: float = 0
    shapes: list[Shape] = []
    for name, graph in graphs.items():
        boxes = [_box(graph, stage) for stage in outline(graph)]
        words = title if len(graphs) == 1 else f"{title} {name}"
        drawn, size = _network(f"{printable(words)}: {_total(graph)}", boxes, left)
        shapes += drawn
        left, height = left + size[0] + MARGIN, max(height, size[1])
    return Drawing(left, height + MARGIN, tuple(shapes))


def _total(graph: Graph) -> str:
    parameters = sum(graph.parameters(node) for node in graph.nodes)
    macs = sum(graph.macs(node) for node in graph.nodes)
    return f"{parameters:,} parameters, {macs:,} multiply-adds"


def _box(graph: Graph, stage: Stage) -> _Box:
    parameters = sum(graph.parameters(graph.nodes[position]) for position in stage.nodes)
    figures = (text(graph.nodes[stage.nodes[-1]].shape), *([f"{parameters:,} weights"] * bool(parameters)))
    reads = tuple(f"reads {label}" for label in stage.reads)
    return _Box((stage.label, *reads), figures, in_line(graph, stage.parts))


def _network(title: str, boxes: Sequence[_Box], left: float) -> tuple[list[Shape], tuple[float, float]]:
    """Return the shapes of a network, its width and height."""
    inner = max(box.inside.width for box in boxes)
    label = max(LABEL, *(words_width(words) + 20 for box in boxes for words in box.label))
    width = label + inner + FIGURES + 2 * PAD
    columns = max(
        (_columns(boxes, count) for count in range(1, min(MOST_COLUMNS, len(boxes)) + 1)),
        key=lambda columns: _scale(len(columns) * (width + GUTTER), max(map(_height, columns))),
    )
    shapes: list[Shape] = [Text(left, MARGIN + 14, title, 14, bold=True)]
    end: tuple[float, float] | None = None
    for number, column in enumerate(columns):
        x, y = left + number * (width + GUTTER), float(MARGIN + TITLE)
        middle = x + label + inner / 2 + PAD
        for box in column:
            if end is not None:
                shapes.append(Line(_way(end, (middle, y), x - GUTTER / 2), arrow=True))
            shapes.append(Rectangle(x, y, width, box.height, BOX, BORDER, 8))
            shapes += _words(box, x, x + width, y)
            shapes += box.inside.at(middle - box.inside.width / 2, y + (box.height - box.inside.height) / 2)
            end = middle, y + box.height
            y += box.height + BETWEEN
    size = len(columns) * (width + GUTTER) - GUTTER, TITLE + max(map(_height, columns))
    return shapes, (max(size[0], words_width(title) * 1.4), MARGIN + size[1])


def _words(box: _Box, left: float, right: float, top: float) -> list[Shape]:
    """Return the names left and the figures right."""
    names = [
        Text(left + 10, top + 21 + 15 * row, words, 11, "#111111" if row == 0 else FAINT, row == 0)
        for row, words in enumerate(box.label)
    ]
    figures = [
        Text(right - 10, top + 21 + 15 * row, words, 11, "#111111" if row == 0 else FAINT, anchor="end")
        for row, words in enumerate(box.figures)
    ]
    return [*names, *figures]


def _way(start: tuple[float, float], end: tuple[float, float], gutter: float) -> tuple[tuple[float, float], ...]:
    """Return the points of a line to the next box: straight down, or around to the top of the next column."""
    if start[0] == end[0]:
        return start, end
    above, below = end[1] - 8, start[1] + 8
    return start, (start[0], below), (gutter, below), (gutter, above), (end[0], above), end


def _scale(width: float, height: float) -> float:
    """Return how large letters are when a picture fills a page, upright or across."""
    return min(PAGE / max(width, height), 1 / min(width, height))


def _columns(boxes: Sequence[_Box], count: int) -> list[list[_Box]]:
    """Return the boxes in so many columns, or fewer, the longest as short as can be."""
    ends = [_height(boxes[:end]) - _height(boxes[:start]) for end in range(len(boxes) + 1) for start in range(end)]
    return next(columns for room in sorted(ends) if len(columns := _filled(boxes, room)) <= count)


def _filled(boxes: Sequence[_Box], room: float) -> list[list[_Box]]:
    """Return the boxes in columns of at most this height, unless a single box has more."""
    columns: list[list[_Box]] = [[]]
    for box in boxes:
        if columns[-1] and _height([*columns[-1], box]) > room + 0.5:
            columns.append([])
        columns[-1].append(box)
    return columns


def _height(boxes: Sequence[_Box]) -> float:
    return sum(box.height + BETWEEN for box in boxes)
