"""What stands in a block, drawn: layers below one another, branches beside one another, repetitions in a frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from cnnpipe.graph import Graph
from cnnpipe.graph.outline import Branches, Part, Repeated, Step, Tangle
from cnnpipe.report.drawing import Line, Rectangle, Text
from cnnpipe.report.layer_words import step_words

Shape = Rectangle | Line | Text
SIZE, LETTER, ROW, GAP, FORK, BESIDE, FRAME, BYPASS = 11, 5.9, 22, 10, 16, 14, 8, 30
"""Pixels: of letters and their mean width, of a layer, between layers, where ways part, between and around them."""
COLORS = {
    "convolution": "#cfe3f7",
    "pooling": "#fbe0bd",
    "dense": "#cdebcf",
    "attention": "#f7d4dd",
    "add": "#e6d7f5",
    "multiply": "#e6d7f5",
    "concatenate": "#e6d7f5",
    "input": "#fff3a8",
}
"""Fill of a box whose kind ends so."""
EDGE, LINE = "#888888", "#555555"
MOST_LETTERS = 70


@dataclass(frozen=True)
class Piece:
    """A drawing with a size; lines enter and leave it in the middle of its top and bottom.

    Args:
        width: In pixels.
        height: In pixels.
        at: Gives its shapes with the top left corner there.
    """

    width: float
    height: float
    at: Callable[[float, float], list[Shape]]


def words_width(words: str) -> float:
    """Return about how wide words of the usual size are."""
    return len(words) * LETTER


def in_line(graph: Graph, parts: Sequence[Part]) -> Piece:
    """Return parts below one another, joined by lines."""
    return _stacked([_piece(graph, part) for part in parts])


def _stacked(pieces: Sequence[Piece]) -> Piece:
    width = max(piece.width for piece in pieces)

    def at(x: float, y: float) -> list[Shape]:
        shapes: list[Shape] = []
        for number, piece in enumerate(pieces):
            if number:
                shapes.append(Line(((x + width / 2, y - GAP), (x + width / 2, y)), arrow=True))
            shapes += piece.at(x + (width - piece.width) / 2, y)
            y += piece.height + GAP
        return shapes

    return Piece(width, sum(piece.height + GAP for piece in pieces) - GAP, at)


def _piece(graph: Graph, part: Part) -> Piece:
    if isinstance(part, Step):
        return _box(step_words(graph, part.nodes), _fill(graph, part))
    if isinstance(part, Repeated):
        return _frame(in_line(graph, part.parts), f"{part.times} times")
    if isinstance(part, Tangle):
        return _stacked([_box(words, "#ffffff") for words in _counts(graph, part)])
    if gate := _squeeze_and_excitation(graph, part):
        return _box(gate, COLORS["multiply"])
    return _branches(graph, part)


def _box(words: str, fill: str) -> Piece:
    words = words if len(words) <= MOST_LETTERS else words[: MOST_LETTERS - 1] + "…"
    width = words_width(words) + 16

    def at(x: float, y: float) -> list[Shape]:
        return [Rectangle(x, y, width, ROW, fill, EDGE, 5), Text(x + width / 2, y + 15, words, SIZE, anchor="middle")]

    return Piece(width, ROW, at)


def _frame(inside: Piece, words: str) -> Piece:
    """Return a piece in a frame, with words on both sides so that it stays in the middle."""
    side = words_width(words) + 2 * FRAME
    width, height = inside.width + 2 * side, inside.height + 2 * FRAME

    def at(x: float, y: float) -> list[Shape]:
        middle = x + width / 2
        return [
            Rectangle(x, y, width, height, "#ffffff", EDGE, 6),
            Text(x + width - side + FRAME, y + height / 2 + 4, words, SIZE, bold=True),
            Line(((middle, y), (middle, y + FRAME))),
            Line(((middle, y + height - FRAME), (middle, y + height))),
            *inside.at(x + side, y + FRAME),
        ]

    return Piece(width, height, at)


def _branches(graph: Graph, part: Branches) -> Piece:
    """Return ways beside one another, a bare line for one that does nothing, and where they meet below."""
    columns = [in_line(graph, way) for way in part.branches]
    if part.shortcut:
        columns.append(Piece(BYPASS, 0, lambda x, y: []))
    join = _box(step_words(graph, part.join.nodes), _fill(graph, part.join)) if part.join else None
    inner = sum(column.width for column in columns) + BESIDE * (len(columns) - 1)
    width = max(inner, join.width if join else 0)
    tallest = max((column.height for column in columns), default=0)
    height = FORK + tallest + (FORK + join.height if join else 0)

    def at(x: float, y: float) -> list[Shape]:
        middle, below = x + width / 2, y + FORK + tallest
        shapes: list[Shape] = []
        left = x + (width - inner) / 2
        for column in columns:
            centre = left + column.width / 2
            shapes += _ways(middle, centre, y, column.height, below, join is not None)
            shapes += column.at(left, y + FORK)
            left += column.width + BESIDE
        return shapes + (join.at(middle - join.width / 2, below + FORK) if join else [])

    return Piece(width, height, at)


def _ways(middle: float, centre: float, top: float, height: float, below: float, meets: bool) -> Iterator[Line]:
    """Yield the lines into a branch and out of it."""
    start = ((middle, top), (middle, top + FORK / 3), (centre, top + FORK / 3))
    if height:
        yield Line((*start, (centre, top + FORK)), arrow=True)
    end = ((centre, below + FORK / 2), (middle, below + FORK / 2), (middle, below + FORK))
    if meets and height:
        yield Line(((centre, top + FORK + height), *end), arrow=True)
    elif meets:
        yield Line((*start, *end), arrow=True)


def _squeeze_and_excitation(graph: Graph, part: Branches) -> str:
    """Return the words for a gate that reads its whole map, as every such gate is drawn; empty for all else."""
    if part.join is None or graph.nodes[part.join.nodes[0]].type.kind != "multiply" or not part.shortcut:
        return ""
    ((*steps,),) = part.branches if len(part.branches) == 1 else ((),)
    layers = [graph.nodes[step.nodes[0]] for step in steps if isinstance(step, Step)]
    if len(layers) != len(steps) or not layers or layers[0].type.kind != "global_average_pooling":
        return ""
    inner = [node for node in layers if node.type.kind in ("convolution", "dense")]
    return f"squeeze and excitation {inner[0].shape[-1]}" if len(inner) > 1 else ""


def _counts(graph: Graph, part: Tangle) -> list[str]:
    """Return how many layers there are of each kind that has weights."""
    nodes = [graph.nodes[position] for position in part.nodes]
    kinds = Counter(node.type.kind.replace("_", " ") for node in nodes if graph.parameters(node))
    return [f"{len(nodes)} layers, among them:", *(f"{count} of {kind}" for kind, count in kinds.most_common())]


def _fill(graph: Graph, step: Step) -> str:
    kinds = [graph.nodes[position].type.kind for position in step.nodes]
    return next((color for kind in kinds for end, color in COLORS.items() if kind.endswith(end)), "#ffffff")
