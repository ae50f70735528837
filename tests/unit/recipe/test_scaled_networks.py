"""Shipped recipes of one family at several sizes: published numbers, compound scaling, stochastic depth."""

from __future__ import annotations

import pytest

from cnnpipe.backbones import ROOM
from cnnpipe.blocks._scaling import Scaling
from cnnpipe.errors import ProblemError
from cnnpipe.graph import GraphBuilder
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.dropout import StochasticDepth
from cnnpipe.graph.totals import macs, parameters
from cnnpipe.model import Model
from cnnpipe.recipe.compiled import compile_recipe
from cnnpipe.recipe.load import load_recipe

PUBLISHED = {
    "efficientnet_b0": (5_330_571, 385_814_752),
    "efficientnet_b1": (7_856_239, 686_802_832),
    "efficientnet_b2": (9_177_569, 993_561_872),
    "efficientnet_b3": (12_320_535, 1_827_141_392),
    "efficientnet_b4": (19_466_823, 4_393_771_024),
    "efficientnet_b5": (30_562_527, 10_266_384_752),
    "efficientnet_b6": (43_265_143, 19_067_593_536),
    "efficientnet_b7": (66_658_687, 37_745_884_192),
    "mobilenet_v2": (3_538_984, 300_774_272),
    "mobilenet_v3_large": (5_507_432, 216_589_760),
    "mobilenet_v3_small": (2_554_968, 56_510_400),
    "convnext_tiny": (28_589_128, 4_457_676_288),
    "convnext_small": (50_223_688, 8_687_212_032),
    "convnext_base": (88_591_464, 15_359_395_840),
    "convnext_large": (197_767_336, 34_368_433_152),
    "convnext_xlarge": (350_196_968, 60_930_363_392),
}
"""Parameters as keras.applications counts them, and multiply-adds."""


def graph_of(recipe, *overrides):
    (graph,) = compile_recipe(load_recipe(recipe, overrides)).graphs.values()
    return graph


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_counts(name):
    graph = graph_of(name)
    assert (parameters(graph), macs(graph)) == PUBLISHED[name]


def test_rounding_of_channels_and_repetitions():
    """Tan and Le's rounding: to the nearest multiple of 8, but never a tenth less; repetitions up."""
    assert [Scaling(width=1.1).filters(n) for n in (16, 24, 32, 40, 112)] == [16, 24, 32, 48, 120]
    assert Scaling(width=0.25).filters(16) == 8
    assert Scaling(width=0.75).filters(24) == 24  # 18 is nearest to 16, which is a tenth less and more
    assert Scaling(width=1.0).filters(6) == 6
    assert [Scaling(depth=1.1).repeats(n) for n in (1, 2, 3)] == [2, 3, 4]


def rates(graph):
    return [node.type.rate for node in graph.nodes if isinstance(node.type, StochasticDepth)]


def expanded(**section):
    builder = GraphBuilder()
    tensor = Model.model_validate(section).expand(builder, builder.input("image", (32, 32, 8)))
    return builder.build({"features": tensor})


def test_stochastic_depth_grows_evenly_from_nothing_to_the_rate_of_the_last_unit():
    units = {"type": "inverted_residual", "filters": 8}
    blocks = ({**units, "repeat": 2}, "max_pooling", {"type": "stage", "repeat": 2, "blocks": (units,)}, units)
    assert rates(expanded(blocks=blocks)) == []
    assert rates(expanded(blocks=blocks, stochastic_depth=0.4)) == pytest.approx([0.1, 0.2, 0.3, 0.4])
    deeper = rates(expanded(blocks=blocks, stochastic_depth=0.4, depth_coefficient=2.0))
    assert deeper == pytest.approx([0.4 * n / 9 for n in range(1, 10)])  # stages and what is in them


def test_units_without_a_shortcut_count_but_cannot_be_passed_by():
    change = {"type": "inverted_residual", "filters": 16}
    same = {"type": "inverted_residual", "filters": 16}
    assert rates(expanded(blocks=(change, same, change), stochastic_depth=0.2)) == pytest.approx([0.1, 0.2])


WITHOUT_HEAD = {
    ("mobilenet_v2", "0.35"): 410_208,
    ("mobilenet_v2", "1.4"): 4_363_712,
    ("mobilenet_v3_small", "0.75"): 583_160,
    ("mobilenet_v3_large", "0.75"): 1_808_736,
}
"""Parameters of keras.applications without the head, by recipe and alpha."""


@pytest.mark.parametrize(("name", "alpha"), WITHOUT_HEAD)
def test_alpha(name, alpha):
    graph = graph_of(name, f"model.backbone.alpha={alpha}")
    counts = [graph.parameters(node) for node in graph.nodes if node.path.startswith("model.backbone")]
    assert sum(counts) == WITHOUT_HEAD[name, alpha]


def test_minimalistic_mobilenet_v3_is_plain():
    graph = graph_of("mobilenet_v3_small", "model.backbone.minimalistic=true")
    nodes = [node for node in graph.nodes if node.path.startswith("model.backbone")]
    assert sum(map(graph.parameters, nodes)) == 441_000
    activations = [node.type.activation for node in graph.nodes if isinstance(node.type, Activation)]
    assert set(activations) == {"relu", "softmax"} and parameters(graph) == 2_056_848


def test_minimalistic_mobilenet_v3_leaves_other_activations_after_it_alone():
    head = "model.blocks=[global_average_pooling, {type: dense, units: 8, activation: tanh}]"
    graph = graph_of("mobilenet_v3_small", "model.backbone.minimalistic=true", head)
    activations = [node.type.activation for node in graph.nodes if isinstance(node.type, Activation)]
    assert set(activations) == {"relu", "tanh", "softmax"}


def test_convnext_without_recipe_ends_normalized():
    builder = GraphBuilder()
    backbone = ROOM.load("convnext").model_validate({"type": "convnext", "weights": "none"})
    graph = builder.build({"features": backbone.expand(builder, builder.input("image", (64, 64, 3)))})
    assert graph.nodes[-1].type.kind == "layer_normalization"
    assert graph.features["P5"] == len(graph.nodes) - 2
    assert parameters(graph) == 27_820_128


def test_rates_of_convnext_are_those_of_keras():
    """`keras.ops.linspace(0, drop_path_rate, units)`."""
    assert rates(graph_of("convnext_tiny")) == pytest.approx([0.1 * n / 17 for n in range(1, 18)])


def test_rates_of_efficientnet_are_those_of_keras_up_to_the_rate_of_the_last_unit():
    """Keras gives unit n of N the rate 0.2 n / N, so that the last has a little less than what is asked for."""
    units, with_shortcut = 16, [2, 4, 6, 7, 9, 10, 12, 13, 14]
    found = rates(graph_of("efficientnet_b0"))
    assert [rate * (units - 1) / units for rate in found] == pytest.approx([0.2 * n / units for n in with_shortcut])


def test_a_rate_for_each_unit_and_no_other_number_of_them():
    block = {"type": "mbconv", "filters": 8, "repeat": 3}
    assert rates(expanded(blocks=({**block, "stochastic_depth": (0.0, 0.1, 0.3)},))) == [0.1, 0.3]
    assert rates(expanded(blocks=({**block, "stochastic_depth": 0.1},))) == [0.1] * 3
    with pytest.raises(ProblemError, match="2 rates for 3 units"):
        expanded(blocks=({**block, "stochastic_depth": (0.1, 0.3)},))


def test_stochastic_depth_without_residual_units_is_refused():
    with pytest.raises(ProblemError, match="no block is made of residual units"):
        load_recipe("digits", ["model.stochastic_depth=0.2"])


def test_backbone_without_blocks_is_that_of_its_recipe():
    backbone = ROOM.load("efficientnet").model_validate({"type": "efficientnet", "variant": "b1", "weights": "none"})
    assert backbone.scaled_blocks() == load_recipe("efficientnet_b1").recipe.model.backbone.scaled_blocks()
    narrow = backbone.model_copy(update={"width_coefficient": 0.5, "stochastic_depth": 0.0})
    assert [block.filters for block in narrow.scaled_blocks()[2:5]] == [16, 8, 16]


def test_zoo_recipe_may_start_from_published_weights_unless_its_blocks_are_others():
    load_recipe("efficientnet_b0", ["model.backbone.weights=imagenet", "model.backbone.stochastic_depth=0.5"])
    with pytest.raises(ProblemError, match="no weights 'imagenet' for other blocks"):
        load_recipe("efficientnet_b0", ["model.backbone.weights=imagenet", "model.backbone.width_coefficient=0.5"])
