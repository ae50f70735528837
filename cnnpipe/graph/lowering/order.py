"""The order of the operators in a file."""

from __future__ import annotations

from collections.abc import Sequence

from cnnpipe.graph.core import Graph
from cnnpipe.graph.lowering.draft import Part, lowered_parts


def file_order(graph: Graph) -> list[Part]:
    """Return what is lowered, in the order in which the converter writes it; `reads` are positions in this list.

    It sorts the graph anew: in reverse post-order of a walk from the input that goes deep first, the readers of a value
    by their names as strings. So names move operators, and with them bytes of the arena. That holds as long as the
    input's name sorts after the model's: the walk begins at the argument whose name is last, and weights are arguments.
    """
    parts = _parts(graph)
    readers: dict[int, list[int]] = {}
    for position, part in enumerate(parts):
        for read in dict.fromkeys(part.reads):
            readers.setdefault(read, []).append(position)
    left: list[int] = []
    seen: set[int] = set()
    waiting = [(position, False) for position, part in enumerate(parts) if not part.reads]
    while waiting:
        position, leaves = waiting.pop()
        if leaves:
            left.append(position)
        elif position not in seen:
            seen.add(position)
            waiting.append((position, True))
            followers = sorted(readers.get(position, []), key=lambda reader: parts[reader].node.name + "_1/")
            waiting += [(reader, False) for reader in followers if reader not in seen]
    return _moved(parts, left[::-1])


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
