"""Recipes with attention have the parameters and multiply-adds that were published."""

from __future__ import annotations

import math

import pytest

from cnnpipe.graph import Graph
from cnnpipe.graph.receptive_field import receptive_fields
from cnnpipe.graph.totals import macs, parameters
from cnnpipe.jobs.compiling import compile_loaded
from cnnpipe.recipe.load import load_recipe

TRANSFORMERS = {
    "vit_b16": (86_567_656, 768, 17.6),
    "vit_s16": (22_050_664, 384, 4.6),
    "vit_ti16": (5_717_416, 192, 1.3),
}
"""Published parameters, hidden size, and published multiply-adds (1e9)."""
HYBRIDS = {
    "mobilevit_s": (5_578_632, 5.6, 2.0),
    "mobilevit_xs": (2_317_848, 2.3, 1.0),
    "mobilevit_xxs": (1_272_024, 1.3, 0.4),
}
"""Trainable parameters of the published code, in millions by the paper, and multiply-adds (1e9)."""


def network(name: str, *overrides: str) -> Graph:
    (graph,) = compile_loaded(load_recipe(name, overrides)).graphs.values()
    return graph


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_transformers(name):
    published, hidden_size, billions = TRANSFORMERS[name]
    graph = network(name)
    summed_into_positions = 2 * hidden_size  # the bias of patches and the class token
    assert parameters(graph) == published - summed_into_positions
    assert macs(graph) == pytest.approx(billions * 1e9, rel=0.04)


@pytest.mark.parametrize("name", HYBRIDS)
def test_hybrids(name):
    published, millions, billions = HYBRIDS[name]
    graph = network(name)
    weights = [weight for node in graph.nodes for weight in node.type.weights(*graph.input_shapes(node)).items()]
    trainable = sum(math.prod(shape) for name, shape in weights if not name.startswith("moving_"))
    assert trainable == published
    assert trainable == pytest.approx(millions * 1e6, abs=0.05e6)
    assert macs(graph) == pytest.approx(billions * 1e9, rel=0.03)
    assert graph.nodes[graph.features["P5"]].shape[:2] == (8, 8)


def test_attention_products_count():
    """For each of 12 layers, 197 positions see 197 with 768 channels, once to compare and once to mix."""
    by_kind = {}
    graph = network("vit_b16")
    for node in graph.nodes:
        by_kind[node.type.kind] = by_kind.get(node.type.kind, 0) + graph.macs(node)
    assert by_kind["multi_head_attention"] == 12 * (4 * 197 * 768**2 + 2 * 197 * 197 * 768)


def test_the_whole_picture_is_seen_after_attention():
    graph = network("vit_ti16")
    fields = receptive_fields(graph)
    first = next(position for position, node in enumerate(graph.nodes) if node.type.kind == "multi_head_attention")
    assert set(fields[first:]) == {None}


SMALL = [*(f"{name} 32" for name in TRANSFORMERS), *(f"{name} 64" for name in HYBRIDS)]


@pytest.mark.parametrize("small", SMALL)
def test_small_sizes(small):
    name, size = small.split()
    graph = network(name, f"data.preprocessing.image_size=[{size}, {size}]", "model.width_coefficient=0.25")
    assert parameters(graph) < parameters(network(name)) / 7
