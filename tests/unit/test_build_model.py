"""From graph to Keras: names, inputs and outputs, weights by name, plain Keras files."""

from __future__ import annotations

import subprocess
import sys

import keras
import numpy as np
import pytest

from cnnpipe.build import build_model, get_weights, load_weights, plan, save_weights, set_weights
from cnnpipe.graph import GraphBuilder
from cnnpipe.graph.affine import without_input_affine
from cnnpipe.graph.keras_script import keras_script
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.convolution import Convolution, DepthwiseConvolution
from cnnpipe.graph.nodes.dense import Dense
from cnnpipe.graph.nodes.merge import Concatenate
from cnnpipe.graph.nodes.normalization import BatchNormalization, GroupNormalization, LayerNormalization
from cnnpipe.graph.nodes.padding import Cropping, ZeroPadding
from cnnpipe.graph.nodes.pooling import AveragePooling, GlobalAveragePooling, MaxPooling
from cnnpipe.graph.nodes.rearrange import Flatten, Reshape
from cnnpipe.graph.nodes.rescaling import Normalization, Rescaling
from cnnpipe.graph.nodes.resize import Resizing, TransposedConvolution, Upsampling


def one_of_each():
    """A network with two inputs and two outputs and most kinds of nodes."""
    builder = GraphBuilder()
    image, vector = builder.input("image", (12, 12, 2)), builder.input("vector", (5,))
    tensor = builder.add(Rescaling(0.5, -1.0), image)
    for node in (
        Normalization((0.1, -0.2), (1.5, 0.5)),
        Convolution(4, 3, padding="same"),
        BatchNormalization(),
        Activation("hard_swish"),
        DepthwiseConvolution(3, padding="same"),
        LayerNormalization(),
        MaxPooling(2),
        GroupNormalization(2),
        TransposedConvolution(4, 2, 2),
        ZeroPadding(((1, 0), (0, 1))),
        Cropping(1),
        Upsampling(2),
        Upsampling(2, "bilinear"),
        Resizing((6, 6)),
        AveragePooling(3, 1, "same"),
    ):
        tensor = builder.add(node, tensor)
    pooled = builder.add(GlobalAveragePooling(), tensor)
    joined = builder.add(Concatenate(), builder.add(Flatten(), tensor), pooled, vector)
    classes = builder.add(Activation("softmax"), builder.add(Dense(3), joined))
    boxes = builder.add(Reshape((2, 4)), builder.add(Dense(8), joined))
    return builder.build({"classes": classes, "boxes": boxes})


def run(model, inputs):
    """Return the outputs as arrays by name, or the only one."""
    outputs = model(inputs)
    return {name: out.numpy() for name, out in outputs.items()} if isinstance(outputs, dict) else outputs.numpy()


def inputs_of(graph, count=2):
    random = np.random.default_rng(0)
    return {
        name: random.normal(size=(count, *graph.nodes[at].shape)).astype("float32") for name, at in graph.inputs.items()
    }


def test_names():
    graph = one_of_each()
    model = build_model(graph)
    assert model.name == "cnnpipe"
    named = {graph.nodes[position].name for position in graph.inputs.values()}
    assert {layer.name for layer in model.layers} == {node.name for node in graph.nodes} - named | {"image", "vector"}
    outputs = model(inputs_of(graph))
    assert {name: output.shape[1:] for name, output in outputs.items()} == {"classes": (3,), "boxes": (2, 4)}


def test_weights_move_by_name(tmp_path):
    graph = one_of_each()
    model, other = build_model(graph), build_model(plan(graph))
    images = inputs_of(graph)
    assert not np.allclose(run(model, images)["boxes"], run(other, images)["boxes"])
    save_weights(tmp_path / "weights.npz", get_weights(model))
    set_weights(other, load_weights(tmp_path / "weights.npz"))
    np.testing.assert_array_equal(run(model, images)["boxes"], run(other, images)["boxes"])


def test_weights_of_another_network_are_refused():
    weights = get_weights(build_model(one_of_each()))
    weights["n099_dense"] = weights.pop(max(weights))
    with pytest.raises(ValueError, match="n099_dense"):
        set_weights(build_model(one_of_each()), weights)


def test_without_the_rescaling_weights_fit_and_outputs_agree():
    builder = GraphBuilder()
    tensor = builder.add(Rescaling(1 / 255, -0.5), builder.input("image", (8, 8, 3)))
    tensor = builder.add(Flatten(), builder.add(Convolution(4, 3, padding="same"), tensor))
    graph = builder.build({"features": tensor})
    model, bare = build_model(graph), build_model(without_input_affine(graph))
    set_weights(bare, get_weights(model))
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3)).astype("float32")
    np.testing.assert_allclose(run(model, pixels), run(bare, pixels / 255 - 0.5), atol=1e-5)


def test_script_of_a_branched_network():
    graph = one_of_each()
    model = build_model(graph)
    space: dict = {}
    exec(keras_script({"model": graph}, "one of each"), space)
    assert space["model"].count_params() == model.count_params()
    space["model"].set_weights(model.get_weights())
    images = inputs_of(graph)
    for name, expected in run(model, images).items():
        np.testing.assert_array_equal(run(space["model"], images)[name], expected)


def test_script_of_inputs_whose_names_are_no_variables():
    builder = GraphBuilder()
    tensors = [builder.add(Dense(2), builder.input(name, (3,))) for name in ("class", "x0", "layers", "a-b")]
    space: dict = {}
    exec(keras_script({"model": builder.build({"out": builder.add(Concatenate(), *tensors)})}, "names"), space)
    assert set(space["model"].input) == {"class", "x0", "layers", "a-b"}
    assert space["model"].output.shape == (None, 8)


def test_script_of_an_output_in_the_middle():
    builder = GraphBuilder()
    first = builder.add(Dense(2), builder.input("vector", (3,)))
    space: dict = {}
    exec(keras_script({"model": builder.build({"first": first, "second": builder.add(Dense(4), first)})}, "two"), space)
    assert {name: output.shape for name, output in space["model"].output.items()} == {
        "first": (None, 2),
        "second": (None, 4),
    }


def test_script_of_two_networks():
    builder = GraphBuilder()
    small = builder.build({"out": builder.add(Dense(2), builder.input("vector", (3,)))})
    space: dict = {}
    exec(keras_script({"generator": small, "discriminator": one_of_each()}, "two"), space)
    assert space["generator"].count_params() == 8
    assert space["discriminator"].count_params() == build_model(one_of_each()).count_params()


def test_resize_nearest_is_upsampling_nearest():
    builder = GraphBuilder()
    tensor = builder.add(Upsampling((2, 3)), builder.input("image", (5, 4, 2)))
    model = build_model(builder.build({"features": tensor}))
    images = np.random.default_rng(0).normal(size=(1, 5, 4, 2)).astype("float32")
    np.testing.assert_array_equal(run(model, images), run(keras.layers.UpSampling2D((2, 3)), images))
    assert "UpSampling2D" not in {type(layer).__name__ for layer in model.layers}


def test_saved_model_opens_in_plain_keras(tmp_path):
    graph = one_of_each()
    model = build_model(graph)
    images = inputs_of(graph)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "images.npz", **images)
    script = (
        "import sys, keras, numpy as np\n"
        "model = keras.models.load_model('model.keras')\n"
        "images = dict(np.load('images.npz'))\n"
        "np.save('boxes.npy', model(images)['boxes'])\n"
        "assert not any(name.startswith('cnnpipe') for name in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(np.load(tmp_path / "boxes.npy"), run(model, images)["boxes"])
