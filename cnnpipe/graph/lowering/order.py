"""The order of the operators in a file."""

from __future__ import annotations

from cnnpipe.graph.core import Graph


def file_order(graph: Graph) -> list[int]:
    """Return the positions of a graph's nodes in the order in which the converter writes them.

    It sorts the graph anew: in reverse post-order of a walk from the input that goes deep first, the readers of a node
    by their names as strings. So names move operators, and with them bytes of the arena. That holds as long as the
    input's name sorts after the model's, under which all weights stand: `image` and `input` after `cnnpipe`.
    """
    readers: dict[int, list[int]] = {}
    for position, node in enumerate(graph.nodes):
        for read in dict.fromkeys(node.inputs):
            readers.setdefault(read, []).append(position)
    left: list[int] = []
    seen: set[int] = set()
    waiting = [(position, False) for position in graph.inputs.values()]
    while waiting:
        position, leaves = waiting.pop()
        if leaves:
            left.append(position)
        elif position not in seen:
            seen.add(position)
            waiting.append((position, True))
            followers = sorted(readers.get(position, []), key=lambda reader: graph.nodes[reader].name + "_1/")
            waiting += [(reader, False) for reader in followers if reader not in seen]
    return left[::-1]
