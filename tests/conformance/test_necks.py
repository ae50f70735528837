"""Every neck by its own examples: it builds in Keras with the shapes and parameters it says, and runs."""

from __future__ import annotations

import numpy as np
import pytest

from cnnpipe.blocks.conv_relu_pool import ConvReluPool
from cnnpipe.build import build_model
from cnnpipe.errors import ProblemError
from cnnpipe.graph import Graph, GraphBuilder, Tensor
from cnnpipe.necks import ROOM, Neck
from cnnpipe.spec import field_descriptions

NAMES = ROOM.names()
EXAMPLES = [(name, number) for name in NAMES for number in range(len(ROOM.load(name).examples))]
LEVELS = 5


def builder(levels: int = LEVELS) -> GraphBuilder:
    graph = GraphBuilder()
    tensor = graph.input("image", (64, 64, 3))
    for number in range(levels):
        tensor = ConvReluPool(filters=4 * (number + 1)).expand(graph, tensor)
        graph.feature(tensor)
    return graph


def neck(name: str, number: int) -> Neck:
    kind = ROOM.load(name)
    found = kind.model_validate({"type": name, **kind.examples[number]})
    assert isinstance(found, Neck)
    return found


def build(name: str, number: int) -> tuple[Graph, dict[str, Tensor]]:
    graph = builder()
    maps = dict(neck(name, number).expand(graph, graph.levels()))
    return graph.build(maps), maps


def test_there_are_necks() -> None:
    assert NAMES
    assert all(ROOM.load(name).examples for name in NAMES)


@pytest.mark.parametrize(("name", "number"), EXAMPLES)
def test_keras_builds_what_the_graph_says(name: str, number: int) -> None:
    graph, maps = build(name, number)
    model = build_model(graph)
    outputs = model(np.random.default_rng(0).random((2, 64, 64, 3), np.float32))
    outputs = outputs if isinstance(outputs, dict) else {next(iter(maps)): outputs}
    assert {level: tuple(value.shape[1:]) for level, value in outputs.items()} == {
        level: tensor.shape for level, tensor in maps.items()
    }
    assert model.count_params() == sum(graph.parameters(node) for node in graph.nodes)


@pytest.mark.parametrize(("name", "number"), EXAMPLES)
def test_a_map_has_the_stride_of_its_level(name: str, number: int) -> None:
    _, maps = build(name, number)
    assert {level: tensor.shape[:2] for level, tensor in maps.items()} == {
        level: (max(1, 64 >> int(level[1:])),) * 2 for level in maps
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_model_without_maps_is_a_problem(name: str) -> None:
    graph = GraphBuilder()
    graph.input("image", (64, 64, 3))
    with pytest.raises(ProblemError, match="feature map"):
        neck(name, 0).expand(graph, graph.levels())


@pytest.mark.parametrize("name", NAMES)
def test_every_field_is_explained(name: str) -> None:
    assert all(
        field_descriptions(ROOM.load(name)).get(field) for field in ROOM.load(name).model_fields if field != "type"
    )
