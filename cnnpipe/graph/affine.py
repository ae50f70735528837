"""The normalization right after an input, and the graph without it, for files that carry it in the input tensor."""

from __future__ import annotations

from dataclasses import replace

from cnnpipe.graph.core import Graph, Node
from cnnpipe.graph.nodes.rescaling import Rescaling

PerChannel = float | tuple[float, ...]
"""One number for all channels, or one for each."""


def input_affine(graph: Graph) -> tuple[PerChannel, PerChannel] | None:
    """Return (scale, offset) of the input's rescaling, or None.

    None stands for: no rescaling right after the only input, or another reader of the input.
    """
    position = _position(graph)
    node = graph.nodes[position].type if position is not None else None
    return (node.scale, node.offset) if isinstance(node, Rescaling) else None


def without_input_affine(graph: Graph) -> Graph:
    """Return the graph without the rescaling that `input_affine` tells; all other nodes keep their names.

    A graph without one is returned as it is.
    """
    position = _position(graph)
    if input_affine(graph) is None or position is None:
        return graph
    (source,) = graph.nodes[position].inputs

    def moved(old: int) -> int:
        old = source if old == position else old
        return old - (old > position)

    def reads(node: Node) -> Node:
        return replace(node, inputs=tuple(moved(old) for old in node.inputs))

    nodes = tuple(reads(node) for number, node in enumerate(graph.nodes) if number != position)
    inputs = {name: moved(old) for name, old in graph.inputs.items()}
    outputs, features = ({name: moved(old) for name, old in named.items()} for named in (graph.outputs, graph.features))
    return Graph(nodes, inputs, outputs, features)


def _position(graph: Graph) -> int | None:
    if len(graph.inputs) != 1:
        return None
    (source,) = graph.inputs.values()
    readers = [number for number, node in enumerate(graph.nodes) if source in node.inputs]
    alone = len(readers) == 1 and isinstance(graph.nodes[readers[0]].type, Rescaling)
    return readers[0] if alone and source not in graph.outputs.values() else None
