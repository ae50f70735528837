"""What the options of a residual block do, and of batch normalization in every block."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from cnnpipe.blocks import ROOM
from cnnpipe.graph import Graph, GraphBuilder
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.graph.nodes.normalization import BatchNormalization


def graph_of(name: str, shape: tuple[int, ...] = (16, 16, 8), **values: object) -> Graph:
    builder = GraphBuilder()
    tensor = builder.input("image", shape)
    with builder.block(("model", "blocks", 0)):
        tensor = ROOM.load(name).model_validate({"type": name, **values}).expand(builder, tensor)
    return builder.build({"features": tensor})


def convolutions(graph: Graph) -> list[Convolution]:
    return [node.type for node in graph.nodes if isinstance(node.type, Convolution)]


def test_repeated_blocks_stride_once_and_have_a_name_each():
    graph = graph_of("residual", filters=8, strides=2, repeat=3)
    assert graph.nodes[-1].shape == (8, 8, 8)
    assert [node.block for node in graph.nodes if node.type.kind == "add"] == [f"blocks.0.{n}" for n in range(3)]
    assert [one.strides for one in convolutions(graph)] == [2, 1, 2, 1, 1, 1, 1]
    assert [one.kernel_size for one in convolutions(graph)] == [3, 3, 1, 3, 3, 3, 3]


def test_one_block_is_what_a_repeated_one_begins_with():
    one, two = (graph_of("residual", filters=8, strides=2, repeat=repeat) for repeat in (1, 2))
    assert [node.type for node in two.nodes[: len(one.nodes)]] == [node.type for node in one.nodes]


def test_strides_of_a_bottleneck_stand_where_they_are_wanted():
    def strides(**values):
        graph = graph_of("residual", filters=4, bottleneck=True, strides=2, **values)
        assert graph.nodes[-1].shape == (8, 8, 16)
        return [one.strides for one in convolutions(graph)]

    assert strides() == [1, 2, 1, 2]  # the last one is that of the shortcut
    assert strides(strides_at="first") == [2, 1, 1, 2]


@pytest.mark.parametrize("bottleneck", [False, True])
def test_bias_beside_batch_normalization_only_where_asked_for(bottleneck):
    def biases(**values):
        return {one.use_bias for one in convolutions(graph_of("residual", filters=4, bottleneck=bottleneck, **values))}

    assert biases() == {False}
    assert biases(use_bias=True) == {True}
    assert biases(batch_normalization=False) == {True}
    assert biases(batch_normalization=False, use_bias=False) == {False}


def test_shortcut_without_batch_normalization():
    def kinds(**values):
        return [node.type.kind for node in graph_of("residual", filters=4, **values).nodes]

    assert kinds().count("batch_normalization") == 3
    assert kinds(normalize_shortcut=False).count("batch_normalization") == 2
    assert kinds(normalize_shortcut=False)[-3:] == ["convolution", "add", "activation"]


def test_what_does_nothing_is_told():
    def ignored(**values):
        return ROOM.load("residual").model_validate({"filters": 4, **values}).ignored_keys()

    assert ignored() == {key: "because bottleneck is false" for key in ("expansion", "strides_at")}
    assert ignored(bottleneck=True) == {}
    assert ignored(bottleneck=True, batch_normalization=False) == {
        "normalize_shortcut": "because batch_normalization is false"
    }


NORMALIZING = [name for name in ROOM.names() if "batch_normalization" in ROOM.load(name).model_fields]


def test_blocks_that_normalize_are_seen():
    assert {"conv", "conv_relu_pool", "dense", "inception", "inverted_residual", "residual"} <= set(NORMALIZING)


@pytest.mark.parametrize("name", NORMALIZING)
def test_options_of_batch_normalization_reach_every_node(name):
    block = ROOM.load(name)
    options = {"epsilon": 1.001e-5, "momentum": 0.9}
    graph = graph_of(name, block.example_input, **{**block.examples[0], "batch_normalization": options})
    found = [node.type for node in graph.nodes if isinstance(node.type, BatchNormalization)]
    assert found and set(found) == {BatchNormalization(momentum=0.9, epsilon=1.001e-5)}
    without = graph_of(name, block.example_input, **{**block.examples[0], "batch_normalization": False})
    assert not any(isinstance(node.type, BatchNormalization) for node in without.nodes)


@pytest.mark.parametrize("value", ["yes", 1, None, (1e-5,), {"epsilon": 0.0}, {"momentum": 1.0}, {"epsilonn": 1e-5}])
def test_what_batch_normalization_cannot_be(value):
    with pytest.raises(ValidationError):
        ROOM.load("conv").model_validate({"filters": 4, "batch_normalization": value})


def test_counted_padding_of_max_pooling_is_a_node_of_zeros():
    graph = graph_of("max_pooling", pool_size=3, strides=2, padding=1)
    assert [(node.type.kind, node.shape) for node in graph.nodes[1:]] == [
        ("zero_padding", (18, 18, 8)),
        ("max_pooling", (8, 8, 8)),
    ]
    with pytest.raises(ValidationError, match="expected same, valid, a whole number, or a list of"):
        ROOM.load("max_pooling").model_validate({"padding": "causal"})


@pytest.mark.parametrize(("use_bias", "expected"), [(None, [False, False]), (True, [True, True])])
def test_bias_of_both_convolutions_of_a_separable_one(use_bias, expected):
    graph = graph_of("separable_conv", filters=4, between=True, batch_normalization=True, use_bias=use_bias)
    assert [node.type.use_bias for node in graph.nodes if "convolution" in node.type.kind] == expected
