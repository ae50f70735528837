"""What blocks expand into: order of nodes, signals in 1D, volumes in 3D, what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from cnnpipe.blocks import ROOM
from cnnpipe.errors import ProblemError
from cnnpipe.graph import GraphBuilder
from cnnpipe.model import Model


def expand(*blocks, shape=(16, 16, 8)):
    """Return (kind, shape) of every node that blocks make."""
    builder = GraphBuilder()
    tensor = Model.model_validate({"blocks": blocks}).expand(builder, builder.input("image", shape))
    return [(node.type.kind, node.shape) for node in builder.build({"features": tensor}).nodes[1:]]


def kinds(*blocks, shape=(16, 16, 8)):
    return [kind for kind, _ in expand(*blocks, shape=shape)]


def conv_relu_pool(**values):
    return {"type": "conv_relu_pool", "filters": 8, **values}


def test_repeat_is_that_many_convolutions_then_one_pool():
    assert kinds(conv_relu_pool(repeat=3, dropout=0.1)) == [
        *["convolution", "activation"] * 3,
        "max_pooling",
        "dropout",
    ]


def test_kinds_of_pooling():
    last = {pool: kinds(conv_relu_pool(pool=pool))[-1] for pool in ("max", "average", "none")}
    assert last == {"max": "max_pooling", "average": "average_pooling", "none": "activation"}


def test_strides_instead_of_pooling_stand_at_the_last_convolution():
    shapes = [shape for _, shape in expand(conv_relu_pool(repeat=2, strides=2, pool="none", activation="linear"))]
    assert shapes == [(16, 16, 8), (8, 8, 8)]


def test_batch_normalization_takes_the_bias_unless_it_is_asked_for():
    def biases(**values):
        builder = GraphBuilder()
        block = Model.model_validate({"blocks": (conv_relu_pool(**values),)})
        tensor = block.expand(builder, builder.input("image", (16, 16, 8)))
        return builder.build({"features": tensor}).nodes[1].type.use_bias

    assert biases()
    assert not biases(batch_normalization=True)
    assert biases(batch_normalization=True, use_bias=True)
    assert not biases(use_bias=False)


def test_counted_padding_is_a_node_of_zeros():
    assert expand({"type": "conv", "filters": 4, "padding": ((1, 2), (0, 0))})[0] == ("zero_padding", (19, 16, 8))
    assert kinds({"type": "conv", "filters": 4, "padding": 0}) == ["convolution", "activation"]


SIGNAL = (
    conv_relu_pool(padding="causal"),
    conv_relu_pool(padding=((2, 0),), kernel_size=(5,)),
    {"type": "separable_conv", "filters": 8},
    {"type": "residual", "filters": 12, "strides": 2},
    {"type": "inverted_residual", "filters": 12, "squeeze_excitation": 0.5},
    {"type": "dropout", "spatial": True},
    "average_pooling",
)


def test_signals_in_1d():
    shapes = [
        shape for _, shape in expand(*SIGNAL, "global_average_pooling", {"type": "dense", "units": 3}, shape=(64, 2))
    ]
    assert shapes[-4:] == [(4, 12), (12,), (3,), (3,)]


def test_volumes_in_3d():
    blocks = (conv_relu_pool(), {"type": "residual", "filters": 8, "bottleneck": True, "strides": 2}, "flatten")
    assert expand(*blocks, shape=(8, 8, 8, 1))[-1] == ("flatten", (2 * 2 * 2 * 32,))


def test_residual_without_change_of_shape_has_no_convolution_in_its_shortcut():
    assert kinds({"type": "residual", "filters": 8}).count("convolution") == 2
    assert kinds({"type": "residual", "filters": 9}).count("convolution") == 3


def test_inverted_residual_adds_only_where_the_shape_stays():
    assert "add" in kinds({"type": "inverted_residual", "filters": 8})
    assert "add" not in kinds({"type": "inverted_residual", "filters": 8, "strides": 2})
    assert "add" not in kinds({"type": "inverted_residual", "filters": 9})


def test_stage_within_stage():
    inner = {"type": "stage", "repeat": 2, "blocks": ({"type": "conv", "filters": 4},)}
    builder = GraphBuilder()
    model = Model.model_validate({"blocks": ({"type": "stage", "repeat": 2, "name": "body", "blocks": (inner,)},)})
    tensor = model.expand(builder, builder.input("image", (8, 8, 1)))
    nodes = builder.build({"features": tensor}).nodes[1::2]
    assert [node.block for node in nodes] == ["body.0.0.0.0", "body.0.0.1.0", "body.1.0.0.0", "body.1.0.1.0"]
    assert {node.path for node in nodes} == {"model.blocks.0.blocks.0.blocks.0"}


def test_dense_on_a_map_says_what_is_missing():
    with pytest.raises(ProblemError) as raised:
        expand({"type": "dense", "units": 3})
    assert str(raised.value.problems[0]) == (
        "model.blocks.0: a dense layer takes a vector, received a 16x16x8 map. "
        "Put flatten or global_average_pooling before it."
    )


@pytest.mark.parametrize("value", [0, -1, 2.5, True, "3", (3, 0), (), (3.0, 3)])
def test_sizes_that_are_none(value):
    with pytest.raises(ValidationError) as raised:
        ROOM.load("conv").model_validate({"type": "conv", "filters": 4, "kernel_size": value})
    (error,) = raised.value.errors()
    assert error["msg"] == "expected a whole number above 0, or a list of one per axis"


@pytest.mark.parametrize("value", ["SAME", -1, 1.5, (1, 1), ((1,),), ((1, -1),), ()])
def test_paddings_that_are_none(value):
    with pytest.raises(ValidationError) as raised:
        ROOM.load("conv").model_validate({"type": "conv", "filters": 4, "padding": value})
    (error,) = raised.value.errors()
    assert error["msg"].startswith(
        "expected same, valid, causal, a whole number, or a list of [before, after] per axis"
    )


def test_a_stage_is_deepened_once():
    inner = {"type": "residual", "filters": 8, "repeat": 3}
    for repeat, expected in ((1, 6), (2, 12)):
        stage = {"type": "stage", "repeat": repeat, "blocks": (inner,)}
        (deeper,) = Model.model_validate({"blocks": (stage,), "depth_coefficient": 2.0}).scaled_blocks()
        assert deeper.repeat * deeper.blocks[0].repeat == expected
