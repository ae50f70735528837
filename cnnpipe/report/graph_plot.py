"""A network as a picture: one box per node, grouped by block, as SVG or PNG."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnnpipe.graph import Graph, Node
from cnnpipe.graph.arithmetic import text
from cnnpipe.graph.layout import Cell, Group, lay_out
from cnnpipe.report.drawing import Drawing, Line, Rectangle, Text, write_picture

BOX, ROW, COLUMN, MARGIN = (232, 38), 58, 256, 24
COLORS = {
    "convolution": "#cfe3f7",
    "pooling": "#fbe0bd",
    "dense": "#cdebcf",
    "add": "#e6d7f5",
    "multiply": "#e6d7f5",
    "concatenate": "#e6d7f5",
    "input": "#fff3a8",
}
"""Fill of a box whose kind ends so."""


def plot_graphs(graphs: Mapping[str, Graph], file: Path) -> None:
    """Draw networks side by side and write the picture.

    Args:
        graphs: The networks by name.
        file: Ends in .svg or .png, which is its format.

    Raises:
        ProblemError: The file has another ending, or cannot be written.
    """
    write_picture(draw(graphs), file)


def draw(graphs: Mapping[str, Graph]) -> Drawing:
    """Return the drawing of networks side by side, each under its name if there are several."""
    left, shapes, height = MARGIN, [], 0
    for name, graph in graphs.items():
        top = MARGIN
        if len(graphs) > 1:
            shapes.append(Text(left, top + 12, name, 15, bold=True))
            top += ROW // 2
        drawn, size = _network(graph, left, top)
        shapes += drawn
        left, height = left + size[0] + MARGIN, max(height, top + size[1])
    return Drawing(left, height + MARGIN, tuple(shapes))


def _network(graph: Graph, left: int, top: int) -> tuple[list[Any], tuple[int, int]]:
    layout = lay_out(graph)
    labels = 150 if layout.groups else 0  # room for the names of blocks, left of the boxes

    def corner(cell: Cell) -> tuple[int, int]:
        return left + labels + cell[1] * COLUMN, top + cell[0] * ROW

    shapes: list[Any] = []
    for group in layout.groups:
        shapes += _group(group, corner(group.first), corner(group.last), left)
    for edge in layout.edges:
        shapes.append(Line(_way([corner(cell) for cell in edge.cells]), arrow=True))
    for cell, node in zip(layout.cells, graph.nodes, strict=True):
        shapes += _box(graph, node, *corner(cell))
    return shapes, (labels + layout.size[1] * COLUMN, layout.size[0] * ROW)


def _way(corners: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Return the points of a line from under the first box to the top of the last, sideways only between rows."""
    gap = ROW - BOX[1]
    middle = [(x + BOX[0] // 2, y) for x, y in corners]
    points = [(middle[0][0], middle[0][1] + BOX[1])]
    for x, y in middle[1:]:
        points += [(points[-1][0], y - gap // 2), (x, y - gap // 2), (x, y)]
    return tuple(points)


def _group(group: Group, first: tuple[int, int], last: tuple[int, int], left: int) -> list[Any]:
    x, y = left, first[1] - 7
    width, height = last[0] + BOX[0] + 10 - left, last[1] + BOX[1] + 7 - y
    return [Rectangle(x, y, width, height, "#f3f3f3", "#d8d8d8", 8), Text(x + 10, y + 20, group.label, 12, bold=True)]


def _box(graph: Graph, node: Node, x: int, y: int) -> list[Any]:
    fill = next((color for kind, color in COLORS.items() if node.type.kind.endswith(kind)), "#ffffff")
    weights = graph.parameters(node)
    below = text(node.shape) + (f"   {weights:,} weights" if weights else "")
    return [
        Rectangle(x, y, *BOX, fill, "#888888", 5),
        Text(x + 9, y + 16, _title(graph, node), 12),
        Text(x + 9, y + 31, below, 11, "#555555"),
    ]


def _title(graph: Graph, node: Node) -> str:
    """Return the node's kind and what is special about it: `convolution 64, 3x3, strides 2`."""
    layer = node.type.keras_layer(*graph.input_shapes(node))
    rank = len(node.shape) - 1
    parts = []
    for name, value in layer.config.items():
        if name in ("shape", "padding", "use_bias", "target_shape"):
            continue
        if name in ("kernel_size", "pool_size"):
            parts.append(text((value,) * rank if isinstance(value, int) else value))
        elif name in ("filters", "units", "rate", "activation"):
            parts.append(str(value))
        else:
            parts.append(f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}")
    title = f"{node.type.kind.replace('_', ' ')} {', '.join(parts)}".strip()
    return title if len(title) <= 38 else title[:37] + "…"
