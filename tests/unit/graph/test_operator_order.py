"""Other names, another order, another arena."""

from __future__ import annotations

import pytest

from cnnpipe.graph import Graph, GraphBuilder
from cnnpipe.graph.lowering import lower
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.graph.nodes.merge import Concatenate
from cnnpipe.graph.nodes.pooling import MaxPooling
from cnnpipe.graph.ordering import best_order, branches, original_name
from cnnpipe.program import plan_arena


def arena(graph: Graph) -> int:
    return plan_arena(lower(graph)).total


@pytest.fixture(scope="module")
def branching() -> Graph:
    builder = GraphBuilder()
    tensor = builder.add(Convolution(16, 3, 2, "same"), builder.input("image", (40, 40, 3)))
    for _ in range(2):
        deep = builder.add(Convolution(8, 5, 1, "same"), builder.add(Convolution(4, 1), tensor))
        pooled = builder.add(Convolution(8, 1), builder.add(MaxPooling(3, 1, "same"), tensor))
        wide = builder.add(Convolution(16, 3, 1, "same"), builder.add(Convolution(8, 1), tensor))
        tensor = builder.add(Concatenate(), builder.add(Convolution(8, 1), tensor), wide, deep, pooled)
    return builder.build({"features": tensor})


def test_names_save_memory_where_branches_leave_a_choice(branching):
    best = best_order(branching, arena)
    assert arena(best) < arena(branching)
    assert best == best_order(branching, arena)
    assert [original_name(node.name) for node in best.nodes] == [node.name for node in branching.nodes]
    assert [node.type for node in best.nodes] == [node.type for node in branching.nodes]


def test_operators_tell_their_layers_by_the_original_names(branching):
    layers = {operator.layer for operator in lower(best_order(branching, arena)).operators}
    assert layers == {operator.layer for operator in lower(branching).operators}


def test_a_chain_has_one_order():
    builder = GraphBuilder()
    tensor = builder.add(MaxPooling(), builder.add(Convolution(4), builder.input("image", (8, 8, 3))))
    graph = builder.build({"features": tensor})
    assert not branches(graph)
    assert best_order(graph, lambda graph: 1 / 0) is graph
