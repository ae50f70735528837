"""Memory of activations: what is alive while a network runs, for one example in float32."""

from __future__ import annotations

import math

from cnnpipe.graph.core import Graph, Node

BYTES = 4


def activation_bytes(node: Node) -> int:
    """Return the bytes of a node's output."""
    return math.prod(node.shape) * BYTES


def live_bytes(graph: Graph) -> list[int]:
    """Return the bytes of all tensors that are alive while each node runs, its own output among them.

    Nodes run in graph order. A tensor is alive from the node that makes it to the last one that reads it; an output
    of the network to the end. No node works in place; what a node needs inside counts while it runs.
    """
    last = list(range(len(graph.nodes)))
    for position, node in enumerate(graph.nodes):
        for read in node.inputs:
            last[read] = position
    for position in graph.outputs.values():
        last[position] = len(graph.nodes) - 1
    live, alive = [], 0
    ends: dict[int, int] = {}
    for position, node in enumerate(graph.nodes):
        alive += activation_bytes(node)
        ends[last[position]] = ends.get(last[position], 0) + activation_bytes(node)
        live.append(alive + node.type.working_values(*graph.input_shapes(node)) * BYTES)
        alive -= ends.get(position, 0)
    return live


def peak_bytes(graph: Graph) -> int:
    """Return the most bytes that are alive at once."""
    return max(live_bytes(graph))
