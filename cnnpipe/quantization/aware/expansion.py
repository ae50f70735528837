"""Nodes that LiteRT computes in several operators, written as several nodes, so that each result can have a range."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from cnnpipe.graph import Graph, Node, NodeType
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.merge import Add, Multiply
from cnnpipe.graph.nodes.rescaling import Rescaling

Adder = Callable[[str, NodeType, Sequence[int]], int]
"""Adds a node called like the expanded one with a word more, and returns its position."""


def expand(graph: Graph) -> Graph:
    """Return a network that says the same, in nodes that are one operator each.

    `silu` is x * sigmoid(x); `hard_sigmoid` is relu6(x + 3) / 6; sums and products of several tensors are taken two by
    two. The last node of each has the name of the expanded one.
    """
    nodes: list[Node] = []
    at: list[int] = []
    for node in graph.nodes:
        inputs = [at[read] for read in node.inputs]
        parts = _parts(node, inputs, _adder(node, nodes))
        nodes.append(replace(node, type=parts[0], inputs=tuple(parts[1])))
        at.append(len(nodes) - 1)
    inputs_, outputs, features = (
        {name: at[old] for name, old in named.items()} for named in (graph.inputs, graph.outputs, graph.features)
    )
    return Graph(tuple(nodes), inputs_, outputs, features)


def _adder(node: Node, nodes: list[Node]) -> Adder:
    def add(word: str, kind: NodeType, inputs: Sequence[int]) -> int:
        shape = kind.output_shape(*(nodes[read].shape for read in inputs))
        nodes.append(replace(node, name=f"{node.name}_{word}", type=kind, inputs=tuple(inputs), shape=shape))
        return len(nodes) - 1

    return add


def _parts(node: Node, inputs: Sequence[int], add: Adder) -> tuple[NodeType, Sequence[int]]:
    """Add all nodes but the last, and return that one with what it reads."""
    kind = node.type
    if isinstance(kind, Activation) and kind.activation in ("silu", "swish"):
        return Multiply(), (inputs[0], add("gate", Activation("sigmoid"), inputs))
    if isinstance(kind, Activation) and kind.activation == "hard_sigmoid":
        moved = add("moved", Rescaling(1.0, 3.0), inputs)
        return Rescaling(1 / 6), (add("cut", Activation("relu6"), (moved,)),)
    if isinstance(kind, Add | Multiply):
        so_far = inputs[0]
        for number, read in enumerate(inputs[1:-1], start=1):
            so_far = add(f"part{number}", kind, (so_far, read))
        return kind, (so_far, inputs[-1])
    return kind, inputs
