from __future__ import annotations

from cnnpipe.graph import GraphBuilder
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.graph.nodes.merge import Multiply
from cnnpipe.graph.nodes.padding import CenteredPadding
from cnnpipe.graph.nodes.pooling import GlobalAveragePooling
from cnnpipe.graph.stored import StoredGraph, StoredNode, read_graph, write_graph

GATED = StoredGraph(
    (
        StoredNode(CenteredPadding(3), (0,)),
        StoredNode(Convolution(4, (3, 3), 2), (1,)),
        StoredNode(GlobalAveragePooling(keepdims=True), (2,)),
        StoredNode(Activation("sigmoid"), (3,)),
        StoredNode(Multiply(), (2, 4)),
    ),
    {"P1": 5},
)


def expanded(size: int):
    builder = GraphBuilder()
    with builder.block(("model", "backbone"), "backbone"):
        output = GATED.expand(builder, builder.input("images", (size, size, 3)))
    return builder.build({"output": output})


def test_what_is_written_is_read_and_the_same_graph_gives_the_same_bytes(tmp_path):
    write_graph(tmp_path / "one", GATED)
    write_graph(tmp_path / "two", GATED)
    assert read_graph(tmp_path / "one") == GATED
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_padding_follows_the_size_of_the_map():
    assert [expanded(size).nodes[1].shape for size in (8, 9)] == [(9, 9, 3), (11, 11, 3)]
    assert [expanded(size).nodes[2].shape for size in (8, 9)] == [(4, 4, 4), (5, 5, 4)]


def test_a_gate_that_sees_all_positions_leaves_the_stride_of_its_map():
    graph = expanded(8)
    assert dict(graph.features) == {"P1": 5}
    assert {node.block for node in graph.nodes[1:]} == {"backbone.P1"}
