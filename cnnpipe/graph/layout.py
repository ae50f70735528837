"""Where the nodes of a graph stand in a drawing: rows by depth, columns by branch, blocks as groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cnnpipe.graph.core import Graph

Cell = tuple[int, int]
"""Row and column, both from 0 at the top left."""


@dataclass(frozen=True)
class Edge:
    """The cells that the line from one node to a reader passes, both ends included."""

    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Group:
    """The nodes of one block, and the cells from top left to bottom right that they take."""

    label: str
    nodes: tuple[int, ...]
    first: Cell
    last: Cell


@dataclass(frozen=True)
class Layout:
    """A drawn graph.

    Args:
        cells: The cell of each node, in graph order.
        edges: All connections.
        groups: Blocks in order; nodes outside of blocks belong to none.
        size: Number of rows and columns.
    """

    cells: tuple[Cell, ...]
    edges: tuple[Edge, ...]
    groups: tuple[Group, ...]
    size: Cell


def lay_out(graph: Graph) -> Layout:
    """Give every node a cell of its own.

    A node's row is the length of the longest way to it from an input, so that all lines run downwards. A line over
    several rows takes a free cell in each (Sugiyama et al. 1981), so that it crosses no node.
    """
    rows = _rows(graph)
    cells: dict[int, Cell] = {}
    passing: dict[tuple[int, int], list[Cell]] = {}
    members: list[list[int]] = [[] for _ in range(max(rows) + 1)]
    leaving: list[list[tuple[int, int]]] = [[] for _ in members]
    for position, row in enumerate(rows):
        members[row].append(position)
    for source, reader in _connections(graph):
        leaving[rows[source]].append((source, reader))
    under_way: list[tuple[int, int]] = []
    for row, positions in enumerate(members):
        taken: set[int] = set()
        for position in positions:
            cells[position] = row, _free(taken, _wanted(graph, position, cells, passing))
        under_way = [connection for connection in under_way if rows[connection[1]] > row]
        for connection in under_way:
            way = passing.setdefault(connection, [cells[connection[0]]])
            way.append((row, _free(taken, way[-1][1])))
        under_way += leaving[row]
    placed = tuple(cells[position] for position in range(len(rows)))
    edges = tuple(
        Edge((*passing.get((source, reader), [placed[source]]), placed[reader]))
        for source, reader in _connections(graph)
    )
    every = [*placed, *(cell for edge in edges for cell in edge.cells)]
    size = max(row for row, _ in every) + 1, max(column for _, column in every) + 1
    return Layout(placed, edges, tuple(_groups(graph, placed, passing)), size)


def _connections(graph: Graph) -> Iterator[tuple[int, int]]:
    for reader, node in enumerate(graph.nodes):
        for source in dict.fromkeys(node.inputs):
            yield source, reader


def _rows(graph: Graph) -> list[int]:
    rows: list[int] = []
    for node in graph.nodes:
        rows.append(max((rows[read] + 1 for read in node.inputs), default=0))
    return rows


def _wanted(graph: Graph, position: int, cells: dict[int, Cell], passing: dict[tuple[int, int], list[Cell]]) -> int:
    """Return the leftmost column that a line to this node comes from; a new input wants the first."""
    arriving = [passing.get((read, position), [cells[read]])[-1][1] for read in graph.nodes[position].inputs]
    return min(arriving, default=0)


def _free(taken: set[int], column: int) -> int:
    while column in taken:
        column += 1
    taken.add(column)
    return column


def _groups(graph: Graph, cells: tuple[Cell, ...], passing: dict[tuple[int, int], list[Cell]]) -> Iterator[Group]:
    start = 0
    for position in range(len(graph.nodes) + 1):
        end = position == len(graph.nodes)
        if not end and graph.nodes[position].block == graph.nodes[start].block:
            continue
        members = range(start, position)
        if graph.nodes[start].block:
            inner = [cells[member] for member in members]
            top, bottom = min(inner)[0], max(inner)[0]
            ways = (way for (_, reader), way in passing.items() if reader in members)
            inner += [cell for way in ways for cell in way[1:] if top <= cell[0] <= bottom]
            first = min(row for row, _ in inner), min(column for _, column in inner)
            last = max(row for row, _ in inner), max(column for _, column in inner)
            yield Group(graph.nodes[start].block, tuple(members), first, last)
        start = position
