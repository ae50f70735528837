"""A network of gray pictures that takes colour."""

from __future__ import annotations

import pytest

from cnnpipe.graph import Graph, GraphBuilder
from cnnpipe.graph.affine import input_affine, without_input_affine
from cnnpipe.graph.color import LUMA, gray_layer, with_color_input
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.graph.nodes.rearrange import Flatten
from cnnpipe.graph.nodes.rescaling import Rescaling


def _graph(channels: int, normalized: bool) -> Graph:
    graph = GraphBuilder()
    image = graph.input("image", (4, 6, channels))
    values = graph.add(Rescaling(1 / 255), image) if normalized else image
    features = graph.add(Convolution(2), values)
    return graph.build({"map": features, "vector": graph.add(Flatten(), features)})


@pytest.mark.parametrize("normalized", [True, False])
def test_all_nodes_keep_their_names_and_what_follows_sees_gray(normalized: bool) -> None:
    before = _graph(1, normalized)
    after = with_color_input(before)
    added = gray_layer(before)
    assert [node.name for node in after.nodes if node.name != added] == [node.name for node in before.nodes]
    assert after.nodes[after.inputs["image"]].shape == (4, 6, 3)
    (position,) = (number for number, node in enumerate(after.nodes) if node.name == added)
    assert after.nodes[position].shape == (4, 6, 1)
    assert after.nodes[position + 1].inputs == (position,)
    for name, at in before.outputs.items():
        assert after.nodes[after.outputs[name]].name == before.nodes[at].name
        assert after.nodes[after.outputs[name]].shape == before.nodes[at].shape
    assert sorted(node.name for node in after.nodes) == [node.name for node in after.nodes]


def test_the_normalization_stays_the_first_so_that_an_input_tensor_may_carry_it() -> None:
    after = with_color_input(_graph(1, True))
    assert input_affine(after) == (1 / 255, 0.0)
    assert len(without_input_affine(after).nodes) == len(after.nodes) - 1


def test_a_network_that_takes_colour_is_left_alone() -> None:
    graph = _graph(3, True)
    assert with_color_input(graph) is graph


def test_gray_stays_as_bright_as_it_was() -> None:
    assert sum(LUMA) == pytest.approx(1, abs=1e-12)
