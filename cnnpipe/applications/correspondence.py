"""Which node of ours is which of keras.applications: the way that weights take, and where values can be compared."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cnnpipe.applications.importing import ImportedNode
from cnnpipe.graph import Graph, Node, NodeType, Shape
from cnnpipe.graph.matching import matched
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.graph.nodes.dense import Dense
from cnnpipe.graph.nodes.dropout import Dropout
from cnnpipe.graph.nodes.input import Input
from cnnpipe.graph.nodes.pooling import GlobalAveragePooling
from cnnpipe.graph.nodes.rearrange import Flatten, Reshape
from cnnpipe.graph.nodes.rescaling import Rescaling

if TYPE_CHECKING:
    import numpy as np

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
    start = start_of(graph)
    theirs = _as_graph(nodes, graph.nodes[start].shape)
    pairs = matched(_shortened(graph), theirs, output, len(theirs.nodes) - 1, start)
    return {one: other - 1 for one, other in pairs.items() if other}


def carried(graph: Graph, nodes: Sequence[ImportedNode], pairs: Mapping[int, int]) -> dict[str, list[np.ndarray]]:
    """Return the arrays of Keras's network for each node of ours that has weights, by its name, in graph order.

    Args:
        graph: Our network.
        nodes: The network of Keras.
        pairs: What `correspondence` returned.
    """
    weights = {one: graph.nodes[one].type.weights(*graph.input_shapes(graph.nodes[one])) for one in sorted(pairs)}
    return {
        graph.nodes[one].name: [
            array.reshape(shape) for array, shape in zip(nodes[pairs[one]].arrays, shapes.values(), strict=True)
        ]
        for one, shapes in weights.items()
        if shapes
    }


def start_of(graph: Graph) -> int:
    """Return the position of the node that has what the network of Keras reads: pixels as it was trained on them."""
    return max((number for number, node in enumerate(graph.nodes) if node.path == PREPROCESSING), default=0)


def _as_graph(nodes: Sequence[ImportedNode], shape: Shape) -> Graph:
    """Return nodes of Keras as a graph of equal values, written as we write it."""
    kept = [Node("input", Input(shape), (), shape)]
    kept += [Node(node.layer, node.type, node.inputs, node.shape) for node in nodes]
    for position in range(len(kept)):
        _shorten(kept, position)
    readers = Counter(read for node in kept for read in node.inputs)
    for position in range(len(kept)):
        _flatten(kept, position, readers)
    return Graph(tuple(kept), {"input": 0}, {"output": len(nodes)})


def _shortened(graph: Graph) -> Graph:
    """Return our network written as `_as_graph` writes theirs: stored ones say some things as Keras does."""
    nodes = list(graph.nodes)
    for position in range(len(nodes)):
        _shorten(nodes, position)
    return replace(graph, nodes=tuple(nodes))


def _shorten(nodes: list[Node], position: int) -> None:
    """Write a node that ends a chain which one node can do as that node."""
    chain = _chain(nodes, position, len(HARD_SIGMOID))
    node, before = nodes[position], nodes[nodes[position].inputs[0]] if nodes[position].inputs else None
    if isinstance(node.type, Reshape) and before is not None and before.type == GlobalAveragePooling(False):
        if node.shape == (1, 1, before.shape[-1]):
            nodes[position] = replace(node, type=GlobalAveragePooling(keepdims=True), inputs=before.inputs)
    if len(chain) == len(HARD_SIGMOID) and all(
        _same(nodes[one].type, other) for one, other in zip(chain, HARD_SIGMOID, strict=True)
    ):
        nodes[position] = replace(node, type=Activation("hard_sigmoid"), inputs=nodes[chain[0]].inputs)


def _flatten(nodes: list[Node], position: int, readers: Mapping[int, int]) -> None:
    """Write what lies between a global pooling and a flatten as layers of vectors: a 1x1 convolution as a dense one."""
    if not isinstance(nodes[position].type, Flatten | Reshape) or len(nodes[position].shape) != 1:
        return
    chain = _chain(nodes, position, len(nodes))
    pooled = [n for n, one in enumerate(chain) if nodes[one].type == GlobalAveragePooling(keepdims=True)]
    between = chain[pooled[-1] : -1] if pooled else []
    vectors = [vector for one in between if readers[one] == 1 and (vector := _of_vectors(nodes[one].type))]
    if not between or len(vectors) != len(between):
        return
    for one, vector in zip((*between, position), (*vectors, Activation("linear")), strict=True):
        nodes[one] = replace(nodes[one], type=vector, shape=nodes[one].shape[-1:])


def _of_vectors(node_type: NodeType) -> NodeType | None:
    """Return what does to a vector what a node does to a map of one position; None when there is nothing."""
    if node_type == GlobalAveragePooling(keepdims=True):
        return GlobalAveragePooling()
    if isinstance(node_type, Convolution) and node_type == replace(
        Convolution(node_type.filters, 1), use_bias=node_type.use_bias, padding=node_type.padding,
        initializer=node_type.initializer,
    ):  # fmt: skip
        return Dense(node_type.filters, node_type.use_bias)
    return node_type if isinstance(node_type, Activation | Dropout) else None


def _chain(nodes: Sequence[Node], position: int, length: int) -> list[int]:
    """Return a node after those that lead to it, each reading one other, at most so many."""
    chain = [position]
    while len(chain) < length and len(nodes[chain[0]].inputs) == 1 and nodes[chain[0]].inputs[0]:
        chain.insert(0, nodes[chain[0]].inputs[0])
    return chain


def _same(one: NodeType, other: NodeType) -> bool:
    scales = [node.scale for node in (one, other) if isinstance(node, Rescaling) and isinstance(node.scale, float)]
    if len(scales) == len((one, other)):
        return replace(one, scale=scales[1]) == other and math.isclose(*scales, rel_tol=1e-5)  # type: ignore[call-arg]
    return one == other
