"""The classification head as nodes of a graph."""

import pytest

from cnnpipe.errors import ProblemError
from cnnpipe.graph import GraphBuilder
from cnnpipe.heads.classification import Classification


def expanded(shape, units=10, activation="softmax", **options):
    graph = GraphBuilder()
    output = Classification(**options).expand(graph, graph.input("image", shape), units, activation)
    return graph.build({"probabilities": output})


def kinds(graph):
    return [node.type.kind for node in graph.nodes[1:]]


def test_a_vector_gets_dense_and_softmax():
    graph = expanded((128,))
    assert kinds(graph) == ["dense", "activation"]
    assert graph.nodes[-1].shape == (10,)
    assert graph.nodes[-1].type.activation == "softmax"


def test_a_map_is_averaged_first():
    assert kinds(expanded((7, 7, 64))) == ["global_average_pooling", "dense", "activation"]


def test_the_largest_value_and_dropout_may_be_chosen():
    graph = expanded((7, 7, 64), units=1, activation="sigmoid", pooling="max", dropout=0.3)
    assert kinds(graph) == ["global_max_pooling", "dropout", "dense", "activation"]
    assert graph.nodes[2].type.rate == 0.3
    assert (graph.nodes[-1].shape, graph.nodes[-1].type.activation) == ((1,), "sigmoid")


def test_a_1d_map_is_pooled_too():
    assert expanded((100, 8)).nodes[1].shape == (8,)


def test_classes_may_be_told_at_each_position_and_pooled_then():
    graph = expanded((7, 7, 64), dropout=0.5, at_each_position=True)
    assert kinds(graph) == ["dropout", "convolution", "activation", "global_average_pooling", "activation"]
    assert [node.shape for node in graph.nodes[2:5]] == [(7, 7, 10), (7, 7, 10), (10,)]
    with pytest.raises(ProblemError, match="at_each_position needs a map, received a vector of 128 values"):
        expanded((128,), at_each_position=True)


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_pooling_of_a_vector_is_refused(pooling):
    with pytest.raises(ProblemError, match="vector of 128 values"):
        expanded((128,), pooling=pooling)
