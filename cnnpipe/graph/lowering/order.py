"""The order of the operators in a file."""

from __future__ import annotations

from collections.abc import Sequence

from cnnpipe.graph.core import Graph
from cnnpipe.graph.lowering.draft import Part, lowered_parts


def file_order(graph: Graph) -> list[Part]:
    """Return what is lowered, in the order in which the converter writes it; `reads` are positions in this list.

    It sorts the graph anew: after each value comes what reads it and has all else that it reads, by names as strings,
    each with all that it makes ready in turn. So names move operators, and with them bytes of the arena.
    """
    parts = _parts(graph)
    readers: dict[int, list[int]] = {}
    missing = [len(set(part.reads)) for part in parts]
    for position, part in enumerate(parts):
        for read in dict.fromkeys(part.reads):
            readers.setdefault(read, []).append(position)
    order: list[int] = []
    ready = [position for position, count in enumerate(missing) if not count]
    while ready:
        position = ready.pop()
        order.append(position)
        followers = sorted(readers.get(position, []), key=lambda reader: parts[reader].node.name + "_1/")
        for reader in followers:
            missing[reader] -= 1
        ready += [reader for reader in reversed(followers) if not missing[reader]]
    return _moved(parts, order)


def _moved(parts: Sequence[Part], order: list[int]) -> list[Part]:
    place = {old: new for new, old in enumerate(order)}
    return [parts[old].reading(tuple(place[read] for read in parts[old].reads)) for old in order]


def _parts(graph: Graph) -> list[Part]:
    """Return the parts of all nodes; most nodes are one."""
    found: list[Part] = []
    written: list[int] = []  # by each node: the position of its last part
    for node in graph.nodes:
        first = len(found)
        for rule, reads in lowered_parts(node, graph.input_shapes(node)):
            found.append(Part(node, tuple(first + ~n if n < 0 else written[node.inputs[n]] for n in reads), rule))
        written.append(len(found) - 1)
    return found
