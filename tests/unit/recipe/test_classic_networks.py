"""The classic networks have the parameters and multiply-adds of their papers, to the unit, and shrink to small ones."""

from __future__ import annotations

import pytest

from cnnpipe.graph.totals import macs, parameters
from cnnpipe.recipe.compiled import compile_recipe
from cnnpipe.recipe.load import load_recipe

COUNTS = {
    "lenet5": (61_706, 416_520),
    "alexnet": (60_965_224, 724_406_816),
    "googlenet": (6_998_552, 1_582_671_872),
    "squeezenet": (1_235_496, 352_540_352),
    "vgg16": (138_357_544, 15_470_264_320),
    "vgg19": (143_667_240, 19_632_062_464),
}


def graph_of(name, *overrides):
    (graph,) = compile_recipe(load_recipe(name, overrides)).graphs.values()
    return graph


def shapes(graph, kind):
    return [node.shape for node in graph.nodes if node.type.kind == kind]


@pytest.mark.parametrize("name", COUNTS)
def test_counts_are_the_published_ones(name):
    graph = graph_of(name)
    assert (parameters(graph), macs(graph)) == COUNTS[name]


def test_alexnet_has_the_maps_of_its_figure():
    graph = graph_of("alexnet")
    sizes = [(55, 55, 96), (27, 27, 256), (13, 13, 384), (13, 13, 384), (13, 13, 256)]
    assert shapes(graph, "convolution") == sizes
    assert shapes(graph, "max_pooling") == [(27, 27, 96), (13, 13, 256), (6, 6, 256)]
    assert [node.type.groups for node in graph.nodes if node.type.kind == "convolution"] == [1, 2, 1, 2, 2]


def test_googlenet_has_the_maps_of_its_table():
    graph = graph_of("googlenet")
    depths = [256, 480, 512, 512, 512, 528, 832, 832, 1024]
    sizes = [28, 28, 14, 14, 14, 14, 14, 7, 7]
    assert shapes(graph, "concatenate") == [(n, n, depth) for n, depth in zip(sizes, depths, strict=True)]
    table = {"inception_3a": 163_696, "inception_4c": 510_104, "inception_5b": 1_444_080}
    for block, wanted in table.items():
        assert sum(graph.parameters(node) for node in graph.nodes if node.block == block) == wanted


def test_squeezenet_tells_the_classes_at_each_position():
    graph = graph_of("squeezenet")
    assert [node.type.kind for node in graph.nodes[-5:]] == [
        "dropout", "convolution", "activation", "global_average_pooling", "activation"
    ]  # fmt: skip
    assert shapes(graph, "convolution")[-1] == (13, 13, 1000)


def test_lenet5_reads_the_windows_of_its_figure():
    graph = graph_of("lenet5")
    assert [node.shape for node in graph.nodes if node.type.kind == "average_pooling"] == [(14, 14, 6), (5, 5, 16)]


@pytest.mark.parametrize("name", [name for name in COUNTS if not name.startswith("vgg")])
def test_a_quarter_of_the_width_is_a_small_network(name):
    """Widths are scaled everywhere but in the classes; the least is 8 channels."""
    own_size = name == "lenet5"
    size = [] if own_size else ["data.preprocessing.image_size=[96,96]"]
    small = graph_of(name, "model.width_coefficient=0.25", *size)
    assert parameters(small) < COUNTS[name][0] / (2 if own_size else 6)
