"""Every block by its own examples: it builds in Keras with the shapes and weights it says."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cnnpipe.blocks import ROOM
from cnnpipe.build import build_model, get_weights, plan, refresh, set_weights
from cnnpipe.errors import ProblemError
from cnnpipe.graph import GraphBuilder
from cnnpipe.graph.keras_script import keras_script
from cnnpipe.graph.nodes.normalization import BatchNormalization
from cnnpipe.spec import field_descriptions

NAMES = ROOM.names()
EXAMPLES = [(name, number) for name in NAMES for number in range(len(ROOM.load(name).examples))]


OTHER_VALUES = {
    "activation": "tanh",
    "alpha": 0.25,
    "batch_normalization": (False, True),
    "beta": (0.5, 0.75),
    "between": (False, True),
    "bias": 0.25,
    "blocks": ("flatten",),
    "bottleneck": (False, True),
    "class_token": (False, True),
    "depth_multiplier": 3,
    "depth_radius": 3,
    "dilation_rate": 3,
    "dropout": 0.25,
    "epsilon": 1e-4,
    "expansion": 5,
    "filters": 6,
    "gate": ("sigmoid", "hard_sigmoid"),
    "groups": (1, 2),
    "hidden_size": 16,
    "keepdims": (False, True),
    "kernel_initializer": "he_normal",
    "kernel_size": 5,
    "mlp_size": 24,
    "num_heads": 1,
    "patch_size": 2,
    "layer_scale": 0.1,
    "mean": ((0.25,) * 8,),
    "normalize_shortcut": (False, True),
    "padding": "valid",
    "offset": 0.25,
    "pool": "average",
    "pool_size": 4,
    "rate": 0.25,
    "repeat": 3,
    "scale": 0.25,
    "spatial": (False, True),
    "squeeze_excitation": 0.125,
    "stochastic_depth": 0.25,
    "strides": 4,
    "strides_at": "first",
    "units": 7,
    "use_bias": (False, True),
    "variance": ((0.5,) * 8,),
}
"""Values that no example has, or all that there are, by the field's name."""


def graph_of(name: str, number: int, **changed):
    block = ROOM.load(name)
    spec = block.model_validate({"type": name, **block.examples[number], **changed})
    builder = GraphBuilder()
    tensor = builder.input("image", block.example_input)
    with builder.block(("model", "blocks", 0), spec.name):
        tensor = spec.expand(builder, tensor)
    return builder.build({"features": tensor})


def filled(model):
    """Give every weight, moving statistics too, a value that shows a lost or swapped layer."""
    random = np.random.default_rng(0)
    values = {name: [random.uniform(0.1, 1, a.shape) for a in arrays] for name, arrays in get_weights(model).items()}
    set_weights(model, values)
    return model


def test_there_are_blocks():
    assert len(NAMES) >= 13


@pytest.mark.parametrize("name", NAMES)
def test_block_is_documented_and_has_examples(name):
    block = ROOM.load(name)
    assert block.examples
    assert "Output shape:" in block.__doc__
    assert "Source:" in block.__doc__
    assert set(block.model_fields) - {"type"} == set(field_descriptions(block)) - {"type"}


FIELDS = [(name, field) for name in NAMES for field in ROOM.load(name).model_fields if field not in ("name", "type")]


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_no_field_is_ignored(name, field):
    """Another value makes another network of at least one example."""
    values = OTHER_VALUES[field] if not field.startswith("filters_") else 7
    values = values if isinstance(values, tuple) and field != "blocks" else (values,)
    differs = False
    for number in range(len(ROOM.load(name).examples)):
        for value in values:
            try:
                differs |= plan(graph_of(name, number, **{field: value})) != plan(graph_of(name, number))
            except ProblemError as error:  # this example cannot have it: then it did see it
                assert field in ("strides", "dilation_rate", "kernel_size", "mean", "variance"), error
    assert differs


@pytest.mark.parametrize(("name", "number"), EXAMPLES)
def test_no_bias_before_batch_normalization(name, number):
    """It would be learned for nothing: the normalization takes it away again."""
    normalizing = {"batch_normalization": True} if "batch_normalization" in ROOM.load(name).model_fields else {}
    graph = graph_of(name, number, **normalizing)
    for node in graph.nodes:
        if isinstance(node.type, BatchNormalization):
            assert not graph.nodes[node.inputs[0]].type.use_bias


@pytest.mark.parametrize(("name", "number"), EXAMPLES)
def test_block_in_keras(name, number):
    graph = graph_of(name, number)
    model = build_model(graph)
    for layer, node in zip(plan(graph)["layers"], graph.nodes, strict=True):
        assert tuple(model.get_layer(layer["name"]).output.shape[1:]) == node.shape, node.name
        assert model.get_layer(layer["name"]).count_params() == graph.parameters(node), node.name


@pytest.mark.parametrize(("name", "number"), EXAMPLES)
def test_plan_through_json_and_script_are_the_same_model(name, number):
    graph = graph_of(name, number)
    model = filled(build_model(graph))
    from_json = build_model(json.loads(json.dumps(plan(graph))))
    set_weights(from_json, get_weights(model))
    space: dict = {}
    exec(keras_script({"model": graph}, name), space)
    space["model"].set_weights(model.get_weights())
    refresh(space["model"])  # Keras keeps the old statistics of a Normalization layer otherwise
    images = np.random.default_rng(1).normal(size=(2, *graph.nodes[0].shape)).astype("float32")
    expected = model(images).numpy()
    assert np.ptp(expected) > 0
    np.testing.assert_array_equal(from_json(images).numpy(), expected)
    np.testing.assert_array_equal(space["model"](images).numpy(), expected)
