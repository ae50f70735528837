"""Networks of Keras that are written with other nodes than ours, and the way of their weights."""

from __future__ import annotations

import numpy as np
import pytest

from cnnpipe.applications.correspondence import PREPROCESSING, carried, correspondence
from cnnpipe.applications.importing import ImportedNode
from cnnpipe.graph import Graph, GraphBuilder, NodeType
from cnnpipe.graph.matching import Difference
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.graph.nodes.dense import Dense
from cnnpipe.graph.nodes.dropout import Dropout
from cnnpipe.graph.nodes.merge import Multiply
from cnnpipe.graph.nodes.pooling import GlobalAveragePooling
from cnnpipe.graph.nodes.rearrange import Flatten, Reshape
from cnnpipe.graph.nodes.rescaling import Rescaling

SHAPE = (4, 4, 6)
POOL = GlobalAveragePooling(keepdims=True)
HARD = (Rescaling(1.0, 3.0), Activation("relu6"), Rescaling(1 / 6))


def theirs(*nodes: NodeType | tuple[NodeType, tuple[int, ...]]) -> list[ImportedNode]:
    """Return nodes of Keras, each reading the one before unless it says which; weights count up from 0."""
    builder, found = GraphBuilder(), []
    tensors = [builder.input("input", SHAPE)]
    for number, given in enumerate(nodes):
        node_type, inputs = given if isinstance(given, tuple) else (given, (number,))
        reads = tuple(tensors[position].shape for position in inputs)
        tensors.append(builder.add(node_type, *(tensors[position] for position in inputs)))
        arrays = [np.arange(np.prod(shape)).reshape(shape) for shape in node_type.weights(*reads).values()]
        found.append(ImportedNode(node_type, inputs, reads, tensors[-1].shape, tuple(arrays), f"layer{number}", None))
    return found


def ours(*nodes: NodeType | tuple[NodeType, tuple[int, ...]]) -> Graph:
    builder = GraphBuilder()
    tensors = [builder.input("input", SHAPE)]
    for number, given in enumerate(nodes):
        node_type, inputs = given if isinstance(given, tuple) else (given, (number,))
        tensors.append(builder.add(node_type, *(tensors[position] for position in inputs)))
    return builder.build({"output": tensors[-1]})


@pytest.mark.parametrize("end", [Flatten(), Reshape((3,))])
def test_a_head_of_1x1_convolutions_is_one_of_dense_layers(end: NodeType):
    keras = theirs(POOL, Convolution(5, 1, padding="same"), Activation("relu"), Dropout(0.1), Convolution(3, 1), end)
    graph = ours(GlobalAveragePooling(), Dense(5), Activation("relu"), Dense(3))
    pairs = correspondence(graph, keras)
    assert pairs == {1: 0, 2: 1, 3: 2, 4: 4}
    arrays = carried(graph, keras, pairs)
    assert list(arrays) == [graph.nodes[2].name, graph.nodes[4].name]
    kernel, bias = arrays[graph.nodes[2].name]
    assert kernel.tolist() == keras[1].arrays[0].reshape(6, 5).tolist() and bias.shape == (5,)


def test_a_flatten_of_a_map_keeps_its_convolutions():
    keras = theirs(Convolution(5, 1), Flatten())
    assert correspondence(ours(Convolution(5, 1), Flatten()), keras) == {1: 0, 2: 1}
    with pytest.raises(Difference):
        correspondence(ours(GlobalAveragePooling(), Dense(5)), keras)


def test_a_gate_keeps_its_convolutions_before_a_head():
    gate = [POOL, Convolution(6, 1), (Multiply(), (2, 0))]
    keras = theirs(*gate, POOL, Convolution(3, 1), Flatten())
    assert len(correspondence(ours(*gate, GlobalAveragePooling(), Dense(3)), keras)) == 5


def test_a_pooled_vector_that_is_reshaped_is_a_pooled_map():
    keras = theirs(GlobalAveragePooling(), Reshape((1, 1, 6)), Convolution(6, 1), (Multiply(), (0, 3)))
    assert correspondence(ours(POOL, Convolution(6, 1), (Multiply(), (2, 0))), keras) == {1: 1, 2: 2, 3: 3}


def test_a_hard_sigmoid_may_be_written_out():
    keras = theirs(Convolution(6, 1), *HARD, Convolution(2, 1))
    assert correspondence(ours(Convolution(6, 1), Activation("hard_sigmoid"), Convolution(2, 1)), keras) == {
        1: 0,
        2: 3,
        3: 4,
    }
    with pytest.raises(Difference, match=r"\(2, 4, .*hard_sigmoid"):
        correspondence(ours(Convolution(6, 1), Activation("sigmoid"), Convolution(2, 1)), keras)


def test_what_we_do_to_pixels_first_is_left_out():
    builder = GraphBuilder()
    tensor = builder.input("images", SHAPE)
    with builder.block(tuple(PREPROCESSING.split("."))):
        tensor = builder.add(Rescaling(0.5), tensor)
    graph = builder.build({"output": builder.add(Convolution(2, 1), tensor)})
    assert correspondence(graph, theirs(Convolution(2, 1))) == {2: 0}


def test_a_pooling_with_a_reshape_is_written_in_two_ways_on_either_side():
    keras = theirs(GlobalAveragePooling(), Reshape((1, 1, 6)), Convolution(5, 1))
    assert correspondence(ours(POOL, Convolution(5, 1)), keras) == {1: 1, 2: 2}
    as_keras = ours(GlobalAveragePooling(), Reshape((1, 1, 6)), Convolution(5, 1))
    assert correspondence(as_keras, keras) == {2: 1, 3: 2}
    assert correspondence(as_keras, theirs(POOL, Convolution(5, 1))) == {2: 0, 3: 1}
