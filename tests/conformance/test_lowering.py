"""The predicted program is the converter's: every node type, every block, every recipe for a microcontroller.

`tests/stress/test_all_lowerings.py` holds whole backbones and many more options against their files.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest

import cnnpipe.graph.nodes as node_room
from cnnpipe.blocks import ROOM as BLOCKS
from cnnpipe.graph import Graph, GraphBuilder
from cnnpipe.graph.core import NodeType
from cnnpipe.graph.lowering import NotPredicted, lower
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.arg_max import ArgMax
from cnnpipe.graph.nodes.attention import MultiHeadAttention
from cnnpipe.graph.nodes.convolution import Convolution, DepthwiseConvolution
from cnnpipe.graph.nodes.dense import Dense
from cnnpipe.graph.nodes.dropout import Dropout, StochasticDepth
from cnnpipe.graph.nodes.local_response_normalization import LocalResponseNormalization
from cnnpipe.graph.nodes.merge import Add, Concatenate, Multiply
from cnnpipe.graph.nodes.normalization import BatchNormalization, GroupNormalization, LayerNormalization
from cnnpipe.graph.nodes.padding import CenteredPadding, Cropping, ZeroPadding
from cnnpipe.graph.nodes.patch_embedding import PatchEmbedding
from cnnpipe.graph.nodes.permute import Permute
from cnnpipe.graph.nodes.pooling import AveragePooling, GlobalAveragePooling, GlobalMaxPooling, MaxPooling
from cnnpipe.graph.nodes.positions import ConcatenatePositions
from cnnpipe.graph.nodes.rearrange import Flatten, Reshape
from cnnpipe.graph.nodes.rescaling import ChannelScale, Normalization, Rescaling
from cnnpipe.graph.nodes.resize import Resizing, TransposedConvolution, Upsampling
from cnnpipe.graph.ordering import best_order
from cnnpipe.jobs.compiling import compile_loaded
from cnnpipe.recipe.exports import planned_exports
from cnnpipe.recipe.feasibility import forecast
from cnnpipe.recipe.load import load_recipe, shipped_recipes

MAP, SIGNAL = (8, 8, 4), (16, 4)
NOT_PREDICTED = {
    "convolution in 3D": (Convolution(2), (4, 4, 4, 2)),
    "pooling in 3D": (MaxPooling(), (4, 4, 4, 2)),
    "transposed convolution in 3D": (TransposedConvolution(2), (4, 4, 4, 2)),
    "enlarging in 3D": (Upsampling(), (4, 4, 4, 2)),
    "attention to one position": (MultiHeadAttention(2), (1, 4)),
    "attention of one head along one of several axes": (MultiHeadAttention(1), (2, 4, 4)),
    "the embedding of one position": (PatchEmbedding(2), (1, 4)),
}


def same(filters: int, kernel_size: int = 3, **options) -> Convolution:
    return Convolution(filters, kernel_size, padding="same", **options)


def network(shape, build) -> Graph:
    graph = GraphBuilder()
    return graph.build({"output": build(graph, graph.input("image", shape))})


def chain(graph: GraphBuilder, tensor, *nodes: NodeType):
    for node in nodes:
        tensor = graph.add(node, tensor)
    return tensor


def one_after_another(*nodes: NodeType, shape=MAP) -> Graph:
    return network(shape, lambda graph, tensor: chain(graph, tensor, *nodes))


def merged(graph: GraphBuilder, tensor):
    """Sums and products of three, a gate, biases, equal operators, and padding that only one of its readers absorbs."""
    stem = chain(graph, tensor, same(8), BatchNormalization(), Activation("relu"))
    total = graph.add(Add(), stem, chain(graph, stem, same(8)), chain(graph, stem, same(8, 1)))
    product = graph.add(Multiply(), total, stem, chain(graph, stem, same(8, 5)))
    gate = chain(graph, product, GlobalAveragePooling(True), same(8, 1), Activation("hard_sigmoid"))
    gated = graph.add(Multiply(), product, gate)
    biased = graph.add(Add(), gated, chain(graph, gated, GlobalMaxPooling(True), same(8, 1)))
    padded = chain(graph, biased, ZeroPadding(1))
    both = graph.add(Concatenate(), chain(graph, padded, Convolution(8)), chain(graph, padded, MaxPooling(3, 1)))
    again = [chain(graph, both, Activation("relu"), same(filters, 1)) for filters in (4, 8)]
    return chain(graph, graph.add(Concatenate(), *again), BatchNormalization(), Activation("relu"), GlobalMaxPooling())


def positions(graph: GraphBuilder, tensor):
    """Maps of two sizes as one list of their positions."""
    maps = [chain(graph, tensor, same(6), Activation("relu")), chain(graph, tensor, same(6, 3, strides=2))]
    lists = [chain(graph, one, Reshape((one.shape[0] * one.shape[1], 6))) for one in maps]
    return chain(graph, graph.add(ConcatenatePositions(), *lists), Activation("sigmoid"))


NETWORKS = {
    "merged": network(MAP, merged),
    "positions": network(MAP, positions),
    "convolutions": one_after_another(
        Rescaling(1 / 127.5, -1.0), same(8), DepthwiseConvolution(3, depth_multiplier=2), Activation("relu6"),
        same(8, groups=2), BatchNormalization(), same(8, dilation_rate=2), Activation("relu"), CenteredPadding(3),
        DepthwiseConvolution(3, 2), ChannelScale(0.5), ZeroPadding(((0, 1), (0, 1))), Convolution(6, 3, 2),
        Flatten(), Dense(3),
    ),
    "normalization": one_after_another(
        Normalization(), Convolution(8), LocalResponseNormalization(), Rescaling((2.0,) * 8, 1.0), MaxPooling(),
        LocalResponseNormalization(1, 1.0, 0.5, 0.5), BatchNormalization(scale=False),
        GroupNormalization(4), Convolution(8, 1), LayerNormalization(center=False), GlobalAveragePooling(),
        BatchNormalization(), Dense(4), Dense(4, use_bias=False), Activation("softmax"),
    ),
    "shapes": one_after_another(
        same(8), Reshape((4, 16, 8)), Activation("relu"), Reshape((8, 8, 8)), Cropping(1), ZeroPadding(1),
        AveragePooling(3, 2), Upsampling(2), Resizing((7, 5)), TransposedConvolution(6, 3, 2), BatchNormalization(),
        Activation("relu"), TransposedConvolution(4, 2, 2, "same", use_bias=False), Dropout(0.5), StochasticDepth(0.1),
        Dense(6), Activation("relu"), Flatten(), Dense(3), Activation("sigmoid"),
    ),
    "signals": one_after_another(
        Convolution(8, 3, padding="causal"), BatchNormalization(), Activation("relu"), MaxPooling(),
        DepthwiseConvolution(3), Activation("relu"), ZeroPadding(1), TransposedConvolution(6, 2, 2), Cropping(1),
        Dense(4), GlobalAveragePooling(),
        shape=SIGNAL,
    ),
    "attention": one_after_another(
        Reshape((2, 4, 2, 16)), Permute((1, 3, 2, 4)), Reshape((4, 64)), ZeroPadding(((1, 0),)), PatchEmbedding(8),
        LayerNormalization(), MultiHeadAttention(2), Activation("tanh"), MultiHeadAttention(1), Cropping(((0, 4),)),
        Flatten(), Dense(3),
    ),
    "attention to pixels of patches": one_after_another(
        same(8), Reshape((4, 2, 4, 16)), Permute((1, 3, 2, 4)), Reshape((16, 2, 2, 8)), Permute((2, 3, 1, 4)),
        Reshape((4, 16, 8)), LayerNormalization(), MultiHeadAttention(4), LayerNormalization(), MultiHeadAttention(2),
    ),
    "activations": one_after_another(
        *(layer for name in (
            "relu", "relu6", "leaky_relu", "sigmoid", "hard_sigmoid", "tanh", "softmax", "softsign", "silu", "swish",
            "hard_silu", "hard_swish", "linear", "elu",
        ) for layer in (same(4, 1), Activation(name))), Activation("elu"), MaxPooling(),
    ),
    "class map": one_after_another(same(8), Activation("relu"), same(3, 1), ArgMax()),
}  # fmt: skip
"""Together they have every node type; LiteRT Micro runs all of them."""
FOREIGN = one_after_another(
    *(
        layer
        for name in ("selu", "softplus", "gelu", "mish", "exponential")
        for layer in (same(4, 1), Activation("tanh"), MaxPooling(1), Activation(name))
    )
)
"""What LiteRT Micro does not run."""
LARGER_BLOCKS = {"convnext", "transformer_encoder", "mobilevit"}
"""Blocks that it does not run: two have gelu, the last has axes in another order in 6D."""


def test_every_node_type_is_seen():
    modules = [
        importlib.import_module(f"{node_room.__name__}.{info.name}")
        for info in pkgutil.iter_modules(node_room.__path__)
    ]
    members = {member for module in modules for _, member in inspect.getmembers(module, inspect.isclass)}
    types = {m for m in members if issubclass(m, NodeType) and m is not NodeType and not m.__name__.startswith("_")}
    types -= {kind for kind in types if kind.only_in_float}  # which are neither predicted nor rounded
    assert types == {type(node.type) for graph in NETWORKS.values() for node in graph.nodes}


@pytest.mark.parametrize("quantization", ["int8", "none"])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_node_type_is_predicted(name, quantization, hold_against_prediction):
    hold_against_prediction(NETWORKS[name], quantization)


def test_activations_that_only_larger_runtimes_have_are_predicted(hold_against_prediction):
    hold_against_prediction(FOREIGN, micro=False)


def test_a_searched_order_is_the_one_of_the_file(hold_against_prediction):
    def layers(graph: Graph) -> list[str]:
        return [operator.layer for operator in lower(graph).operators]

    usual = NETWORKS["merged"]
    other = best_order(usual, lambda graph: layers(graph) == layers(usual))
    assert layers(other) != layers(usual)
    hold_against_prediction(other)


def test_memory_that_planning_takes_is_predicted_where_the_head_is_smaller(hold_against_prediction):
    layers = [layer for _ in range(4) for layer in (same(2, 1), Activation("tanh"))]
    hold_against_prediction(one_after_another(*layers, GlobalAveragePooling(), Dense(2), shape=(4, 4, 1)))


@pytest.mark.parametrize("types", [("uint8", "uint8"), ("float32", "uint8"), ("uint8", "float32")])
def test_other_types_at_the_ends_are_predicted(types, hold_against_prediction):
    hold_against_prediction(NETWORKS["convolutions"], types=types)
    hold_against_prediction(NETWORKS["class map"], types=types)


def two_outputs(cut: bool) -> Graph:
    """A detector's shape: lists of boxes and scores from two maps; or one output that the other one is made of."""
    graph = GraphBuilder()
    fine = chain(graph, graph.input("image", (16, 16, 3)), same(8), Activation("relu"))
    coarse = chain(graph, fine, MaxPooling(), same(8), Activation("relu"))
    if cut:
        return graph.build({"logits": coarse, "probabilities": chain(graph, coarse, same(3, 1), Activation("sigmoid"))})
    boxes = [chain(graph, one, same(4, 1), Reshape((one.shape[0] ** 2, 4))) for one in (fine, coarse)]
    scores = [chain(graph, one, same(3, 1), Reshape((one.shape[0] ** 2, 3))) for one in (fine, coarse)]
    score = graph.add(Activation("sigmoid"), graph.add(ConcatenatePositions(), *scores))
    return graph.build({"boxes": graph.add(ConcatenatePositions(), *boxes), "scores": score})


def late_first() -> Graph:
    """Two outputs of which the first by name is written last."""
    graph = GraphBuilder()
    fine = chain(graph, graph.input("image", (16, 16, 3)), same(8), Activation("relu"))
    coarse = chain(graph, fine, MaxPooling(), same(8), Activation("relu"))
    return graph.build({"second": fine, "first": chain(graph, coarse, same(3, 1), Activation("sigmoid"))})


@pytest.mark.parametrize("types", [("int8", "float32"), ("int8", "uint8")])
def test_outputs_by_another_order_of_names_are_predicted(types, hold_against_prediction):
    hold_against_prediction(late_first(), types=types)


@pytest.mark.parametrize("types", [("int8", "int8"), ("uint8", "float32"), ("uint8", "uint8")])
@pytest.mark.parametrize("cut", [False, True])
def test_several_outputs_are_predicted(cut, types, hold_against_prediction):
    hold_against_prediction(two_outputs(cut), types=types)
    if types == ("int8", "int8"):
        hold_against_prediction(two_outputs(cut), "none")


@pytest.mark.parametrize("types", [("float32", "float32"), ("uint8", "uint8")])
def test_ends_in_float_need_no_conversion_there(types, hold_against_prediction):
    hold_against_prediction(one_after_another(Activation("elu"), shape=(4, 4, 8)), types=types)


def test_one_scale_for_all_channels_is_predicted(hold_against_prediction):
    hold_against_prediction(NETWORKS["convolutions"], granularity="per_tensor")


@pytest.mark.parametrize("reason", NOT_PREDICTED)
def test_what_nobody_verified_is_not_predicted(reason):
    node, shape = NOT_PREDICTED[reason]
    with pytest.raises(NotPredicted, match=reason) as raised:
        lower(one_after_another(node, shape=shape))
    assert raised.value.node.type == node


def test_a_node_type_without_a_rule_is_not_predicted():
    class Sorted(Flatten):
        kind = "sorted"

    with pytest.raises(NotPredicted, match="the operators of sorted"):
        lower(one_after_another(Sorted()))


def test_a_quantization_without_rules_is_not_predicted():
    with pytest.raises(NotPredicted, match="int16x8"):
        lower(NETWORKS["merged"], "int16x8")


def block_network(name: str) -> Graph:
    """All examples of a block side by side."""
    block = BLOCKS.load(name)

    def build(graph: GraphBuilder, tensor):
        ends = []
        for example in block.examples:
            end = block.model_validate({"type": name, **example}).expand(
                graph, chain(graph, tensor, Activation("relu"))
            )
            ends.append(chain(graph, end, *([Flatten()] if len(end.shape) > 1 else []), Dense(3)))
        return graph.add(Concatenate(), *ends) if len(ends) > 1 else ends[0]

    return network(block.example_input, build)


def test_all_blocks_are_seen():
    assert {"conv", "residual", "inverted_residual", "inception", "separable_conv"} <= set(BLOCKS.names())


@pytest.mark.parametrize("name", BLOCKS.names())
def test_every_block_is_predicted(name, hold_against_prediction):
    hold_against_prediction(block_network(name), micro=name not in LARGER_BLOCKS)


def recipes_for_microcontrollers() -> list[str]:
    recipes = {name: load_recipe(file).recipe for name, file in shipped_recipes().items()}
    return [
        name
        for name, recipe in recipes.items()
        if recipe.model.backbone is None and any(export.device.has_arena for export in planned_exports(recipe))
    ]


RECIPES = recipes_for_microcontrollers()


def test_recipes_for_microcontrollers_are_seen():
    assert {"digits", "fashion_mnist", "mlperf_tiny_resnet8", "mlperf_tiny_visual_wake_words"} <= set(RECIPES)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_for_a_microcontroller_is_predicted(name, hold_against_prediction):
    loaded = load_recipe(name)
    graph = loaded.recipe.task.deployed(compile_loaded(loaded).graphs)
    for export in planned_exports(loaded.recipe):
        if export.device.has_arena:
            made = forecast(export, graph)
            assert made.program == lower(made.graph, "int8", normalization_carried=True)
            hold_against_prediction(made.graph, carried=True, size=0.05)
