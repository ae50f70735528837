"""Building graphs: names, blocks within blocks, the rescaling after the input."""

from __future__ import annotations

from cnnpipe.graph import GraphBuilder
from cnnpipe.graph.affine import input_affine, without_input_affine
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.graph.nodes.dense import Dense
from cnnpipe.graph.nodes.merge import Add
from cnnpipe.graph.nodes.rescaling import Rescaling


def test_names_have_one_width_and_sort_in_graph_order():
    builder = GraphBuilder()
    tensor = builder.input("vector", (4,))
    for _ in range(1200):
        tensor = builder.add(Dense(4), tensor)
    names = [node.name for node in builder.build({"out": tensor}).nodes]
    assert len({len(name.split("_")[0]) for name in names}) == 1
    assert names == sorted(names)
    assert len(set(names)) == 1201


def test_blocks_within_blocks():
    builder = GraphBuilder()
    tensor = builder.input("vector", (4,))
    with builder.block(("model", "blocks", 3)):
        tensor = builder.add(Dense(4), tensor)
        with builder.block(("blocks", 1), "inner"):
            tensor = builder.add(Dense(4), tensor)
    with builder.block(("model", "blocks", 4), "stem"), builder.block(("blocks", 0)):
        tensor = builder.add(Dense(4), tensor)
    nodes = builder.build({"out": tensor}).nodes
    assert [(node.block, node.path) for node in nodes] == [
        ("", ""),
        ("blocks.3", "model.blocks.3"),
        ("blocks.3.inner", "model.blocks.3.blocks.1"),
        ("stem.0", "model.blocks.4.blocks.0"),
    ]


def rescaled(scale, read_twice=False):
    builder = GraphBuilder()
    image = builder.input("image", (8, 8, 2))
    tensor = builder.add(Rescaling(scale, -1.0), image)
    tensor = builder.add(Convolution(2, 3, padding="same"), tensor)
    tensor = builder.add(Add(), tensor, image) if read_twice else builder.add(Add(), tensor, tensor)
    return builder.build({"features": tensor})


def test_rescaling_is_taken_out():
    graph = rescaled(0.5)
    assert input_affine(graph) == (0.5, -1.0)
    without = without_input_affine(graph)
    assert [node.name for node in without.nodes] == ["n000_input", "n002_convolution", "n003_add"]
    assert [node.inputs for node in without.nodes] == [(), (0,), (1, 1)]
    assert (without.inputs, without.outputs) == ({"image": 0}, {"features": 2})
    assert input_affine(without) is None
    assert without_input_affine(without) is without


def test_rescaling_of_each_channel_is_told_as_it_is():
    assert input_affine(rescaled((0.5, 0.25))) == ((0.5, 0.25), -1.0)


def test_rescaling_beside_another_reader_of_the_input_stays():
    graph = rescaled(0.5, read_twice=True)
    assert input_affine(graph) is None
    assert without_input_affine(graph) is graph
