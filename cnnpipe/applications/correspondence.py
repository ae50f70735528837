"""Which node of ours is which of keras.applications: the way that weights take, and where values can be compared."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cnnpipe.applications.importing import ImportedNode
from cnnpipe.graph import Graph, Node, NodeType, Shape
from cnnpipe.graph.matching import matched
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.input import Input
from cnnpipe.graph.nodes.pooling import GlobalAveragePooling
from cnnpipe.graph.nodes.rearrange import Reshape
from cnnpipe.graph.nodes.rescaling import Rescaling

PREPROCESSING = "data.preprocessing"
"""Recipe path of what our networks do to pixels before the network of Keras begins."""
HARD_SIGMOID = (Rescaling(1.0, 3.0), Activation("relu6"), Rescaling(1 / 6))
"""How the source of some families writes it."""


def correspondence(graph: Graph, nodes: Sequence[ImportedNode], our_end: int | None = None) -> dict[int, int]:
    """Return the position among `nodes` of every node of ours that computes something; inputs have none.

    Args:
        graph: Our network, or one that begins with it.
        nodes: The network of Keras.
        our_end: Position of the node that computes what the last of `nodes` does; when left out, our only output.

    Raises:
        Difference: They are not the same network; says where. Positions of theirs count from 1: 0 is the input.
    """
    (output,) = (our_end,) if our_end is not None else graph.outputs.values()
    theirs = _as_graph(nodes, graph.nodes[0].shape)
    prepared = [number for number, node in enumerate(graph.nodes) if node.path == PREPROCESSING]
    pairs = matched(graph, theirs, output, len(theirs.nodes) - 1, max(prepared, default=0))
    return {one: other - 1 for one, other in pairs.items() if other}


def _as_graph(nodes: Sequence[ImportedNode], shape: Shape) -> Graph:
    """Return nodes of Keras as a graph of equal values, written as we write it."""
    rewritten = [node.type for node in nodes]
    inputs = [node.inputs for node in nodes]
    for position, read, node_type in _written_otherwise(nodes):
        rewritten[position], inputs[position] = node_type, (read,)
    kept = (
        Node(node.layer, node_type, reads, node.shape)
        for node, node_type, reads in zip(nodes, rewritten, inputs, strict=True)
    )
    return Graph((Node("input", Input(shape), (), shape), *kept), {"input": 0}, {"output": len(nodes)})


def _written_otherwise(nodes: Sequence[ImportedNode]) -> Iterator[tuple[int, int, NodeType]]:
    """Yield position, tensor to read, and node type of all that is written with more nodes than it needs."""
    for position, node in enumerate(nodes):
        chain = _chain(nodes, position)
        (*_, before) = (None, *chain[:-1])
        if isinstance(node.type, Reshape) and before is not None and before.type == GlobalAveragePooling(False):
            if node.shape == (1, 1, before.shape[-1]):
                yield position, before.inputs[0], GlobalAveragePooling(keepdims=True)
        if len(chain) == len(HARD_SIGMOID) and all(map(_same, (one.type for one in chain), HARD_SIGMOID)):
            yield position, chain[0].inputs[0], Activation("hard_sigmoid")


def _chain(nodes: Sequence[ImportedNode], position: int) -> list[ImportedNode]:
    """Return a node after those that lead to it, as many as the longest of what is written otherwise has."""
    chain = [nodes[position]]
    while len(chain) < len(HARD_SIGMOID) and len(chain[0].inputs) == 1 and chain[0].inputs[0]:
        chain.insert(0, nodes[chain[0].inputs[0] - 1])
    return chain


def _same(one: NodeType, other: NodeType) -> bool:
    scales = [node.scale for node in (one, other) if isinstance(node, Rescaling) and isinstance(node.scale, float)]
    if len(scales) == len((one, other)):
        return replace(one, scale=scales[1]) == other and math.isclose(*scales, rel_tol=1e-5)  # type: ignore[call-arg]
    return one == other
