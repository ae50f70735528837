"""The recipes of ResNet, MobileNet and DS-CNN have the parameters and multiply-adds that are published, to the unit."""

from __future__ import annotations

import math

import pytest

from cnnpipe.graph import Graph
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.graph.totals import macs, parameters
from cnnpipe.recipe.compiled import compile_recipe
from cnnpipe.recipe.load import load_recipe

KERAS = {
    "resnet50": (25_636_712, 25_557_032, 3_857_973_248),
    "resnet101": (44_707_176, 44_549_160, 7_570_194_432),
    "resnet152": (60_419_944, 60_192_808, 11_282_415_616),
}
"""Parameters in keras.applications, what the original trains, multiply-adds."""
OTHERS = {
    "resnet18": (11_689_512, 1_814_073_344),
    "resnet34": (21_797_672, 3_663_761_408),
    "mobilenet": (4_231_976, 568_740_352),
    "mlperf_tiny_resnet8": (78_186, 12_501_632),
    "ds_cnn": (23_756, 2_656_768),
}
"""Parameters that are trained, multiply-adds."""


def network(name: str, *overrides: str) -> Graph:
    (graph,) = compile_recipe(load_recipe(name, overrides)).graphs.values()
    return graph


def count(graph: Graph, name: str) -> int:
    """Return how many numbers the weights of this name are, of convolutions where it is their bias."""
    nodes = [node for node in graph.nodes if name != "bias" or isinstance(node.type, Convolution)]
    weights = [weight for node in nodes for weight in node.type.weights(*graph.input_shapes(node)).items()]
    return sum(math.prod(shape) for weight, shape in weights if weight.startswith(name))


def levels(graph: Graph) -> dict[str, tuple[int, ...]]:
    return {level: graph.nodes[position].shape for level, position in graph.features.items()}


@pytest.mark.parametrize("name", KERAS)
def test_deep_resnets_are_those_of_keras_and_but_for_biases_the_original_ones(name: str) -> None:
    graph = network(name)
    assert parameters(graph) == KERAS[name][0]
    assert parameters(graph) - count(graph, "moving_") - count(graph, "bias") == KERAS[name][1]
    assert macs(graph) == KERAS[name][2]
    assert levels(graph) == {
        "P1": (112, 112, 64), "P2": (56, 56, 256), "P3": (28, 28, 512), "P4": (14, 14, 1024), "P5": (7, 7, 2048),
    }  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_trained_parameters_and_multiply_adds(name: str) -> None:
    graph = network(name)
    assert (parameters(graph) - count(graph, "moving_"), macs(graph)) == OTHERS[name]


# Howard et al. 2017, table 6, and what Keras counts
@pytest.mark.parametrize(
    ("alpha", "total", "million_macs"),
    [(1.0, 4_253_864, 569), (0.75, 2_601_976, 325), (0.5, 1_342_536, 149), (0.25, 475_544, 41)],
)
def test_mobilenet_by_alpha(alpha: float, total: int, million_macs: int) -> None:
    graph = network("mobilenet", f"model.backbone.alpha={alpha}")
    assert (parameters(graph), round(macs(graph) / 1e6)) == (total, million_macs)
    assert {level: shape[-1] for level, shape in levels(graph).items()} == {
        f"P{number}": int(channels * alpha) for number, channels in enumerate((64, 128, 256, 512, 1024), 1)
    }


def test_a_family_without_blocks_is_that_of_its_recipe() -> None:
    bare = '{"type": "resnet", "variant": "resnet101", "weights": "none"}'
    text = ("model={" + f'"backbone": {bare}' + "}",)
    assert [node.type for node in network("resnet50", *text).nodes] == [
        node.type for node in network("resnet101").nodes
    ]


@pytest.mark.parametrize("setting", ["resnet18 model.", "resnet50 model.backbone.", "mobilenet model.backbone."])
def test_a_small_size_is_small(setting: str) -> None:
    name, path = setting.split()
    small = network(name, f"{path}width_coefficient=0.25", "task.classes=10", "data.preprocessing.image_size=[64, 64]")
    assert parameters(small) < parameters(network(name)) / 12


def test_resnet8_for_cifar10_is_the_one_of_mlperf_tiny() -> None:
    there, here = load_recipe("mlperf_tiny_resnet8").recipe, load_recipe("resnet8_cifar10").recipe
    assert here.model == there.model
    assert here.data.source.model_dump(include={"type", "name"}) == {"type": "tfds", "name": "cifar10"}
