"""The folded network says what the network says: after every node that remains, with random and odd weights."""

from __future__ import annotations

import numpy as np
import pytest

from cnnpipe.applications import backbone_graph
from cnnpipe.backbones import ROOM
from cnnpipe.build import build_model, get_weights, set_weights
from cnnpipe.graph import GraphBuilder
from cnnpipe.graph.folding import AFFINE, fold
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.convolution import Convolution, DepthwiseConvolution
from cnnpipe.graph.nodes.dense import Dense
from cnnpipe.graph.nodes.dropout import Dropout
from cnnpipe.graph.nodes.merge import Add, Concatenate
from cnnpipe.graph.nodes.normalization import BatchNormalization
from cnnpipe.graph.nodes.pooling import GlobalAveragePooling
from cnnpipe.graph.nodes.rescaling import ChannelScale, Normalization, Rescaling
from cnnpipe.graph.nodes.resize import TransposedConvolution


def graph_of(*nodes, shape=(6, 6, 3)):
    """Return a chain of nodes."""
    graph = GraphBuilder()
    tensor = graph.input("image", shape)
    for node in nodes:
        tensor = graph.add(node, tensor)
    return graph.build({"features": tensor})


def random_weights(graph):
    """Return a model whose weights and statistics are far from those of an untrained one."""
    model, random = build_model(graph), np.random.default_rng(0)
    values = {n: [random.uniform(0.3, 1.5, a.shape) * s(random, i, a) for i, a in enumerate(arrays)]
              for n, arrays in get_weights(model).items()
              for s in [sign_of(model.get_layer(n))]}  # fmt: skip
    set_weights(model, values)
    return model


def sign_of(layer):
    """Variances stay positive, kernels keep the spread of what is fed to them."""
    measured = type(layer).__name__ in ("BatchNormalization", "Normalization")

    def sign(random, position, array):
        if measured:
            return 1.0
        return random.choice([-1, 1], array.shape) / np.sqrt(max(1, array.size / array.shape[-1]))

    return sign


def answers(model, *inputs):
    found = model.predict_on_batch(inputs[0])
    return next(iter(found.values())) if isinstance(found, dict) else found


def difference(graph, images):
    """Return the largest difference between a network and its folded form, as a share of the largest value."""
    model = random_weights(graph)
    folded = fold(graph)
    other = build_model(folded.graph)
    set_weights(other, folded.weights(get_weights(model)))
    expected = answers(model, images)
    assert np.ptp(expected) > 0
    return float(np.abs(answers(other, images) - expected).max() / np.abs(expected).max()), folded.graph


def kinds(graph):
    return [node.type.kind for node in graph.nodes]


CARRIED = {
    "convolution": Convolution(4, use_bias=False),
    "convolution with bias": Convolution(4),
    "grouped convolution": Convolution(6, groups=3, use_bias=False),
    "depthwise": DepthwiseConvolution(3, use_bias=False),
    "depthwise with multiplier": DepthwiseConvolution(3, depth_multiplier=2),
    "transposed": TransposedConvolution(4, 3, strides=2, use_bias=False),
    "dense on a map": Dense(5),
}


@pytest.mark.parametrize("carrier", CARRIED.values(), ids=CARRIED)
def test_batch_normalization_goes_into_the_weights_before_it(carrier):
    graph = graph_of(carrier, Dropout(0.5), BatchNormalization(), Activation("relu"))
    error, folded = difference(graph, images((2, 6, 6, 3)))
    assert error < 2e-6
    assert kinds(folded) == ["input", carrier.kind, "activation"]
    assert folded.nodes[1].name == graph.nodes[1].name


@pytest.mark.parametrize("options", [{"center": False}, {"scale": False}, {"center": False, "scale": False}])
def test_batch_normalization_without_all_weights(options):
    error, folded = difference(
        graph_of(Convolution(4), BatchNormalization(epsilon=0.1, **options)), images((2, 6, 6, 3))
    )
    assert error < 2e-6 and kinds(folded) == ["input", "convolution"]


ALONE = {
    "batch normalization": BatchNormalization(),
    "scales": Rescaling((0.5, 2.0, -1.0), (0.1, 0.2, 0.3)),
    "channel scale": ChannelScale(),
    "measured normalization": Normalization(),
    "given normalization": Normalization((1.0, 2.0, 3.0), (0.5, 2.0, 0.0)),
}


@pytest.mark.parametrize("node", ALONE.values(), ids=ALONE)
def test_what_nothing_carries_becomes_a_depthwise_convolution(node):
    error, folded = difference(graph_of(node, Activation("relu"), Convolution(2)), images((2, 6, 6, 3)))
    assert error < 2e-6
    assert kinds(folded) == ["input", "depthwise_convolution", "activation", "convolution"]


@pytest.mark.parametrize("shape", [(5,), (7, 5), (3, 3, 3, 5)])
def test_batch_normalization_of_other_ranks(shape):
    error, folded = difference(graph_of(BatchNormalization(), shape=shape), images((4, *shape)))
    assert error < 2e-6
    assert kinds(folded) == ["input", "reshape", "depthwise_convolution", "reshape"]
    assert len({node.name for node in folded.nodes}) == 4


def test_factors_follow_each_other_into_one_convolution():
    scales = (BatchNormalization(), Rescaling(2.0, 1.0), ChannelScale(), Activation("linear"), BatchNormalization())
    error, folded = difference(graph_of(Convolution(4), *scales), images((2, 6, 6, 3)))
    assert error < 2e-6 and kinds(folded) == ["input", "convolution"]


def test_what_others_read_too_stays_as_it_is():
    graph = GraphBuilder()
    tensor = graph.add(Convolution(4, use_bias=False), graph.input("image", (6, 6, 3)))
    scaled = graph.add(BatchNormalization(), tensor)
    join = graph.add(Concatenate(), graph.add(Add(), tensor, scaled), graph.add(BatchNormalization(), tensor))
    built = graph.build({"features": graph.add(GlobalAveragePooling(), join)})
    error, folded = difference(built, images((2, 6, 6, 3)))
    assert error < 2e-6
    assert kinds(folded).count("depthwise_convolution") == 2


def test_an_output_before_a_normalization_stays_as_it_is():
    graph = GraphBuilder()
    tensor = graph.add(Convolution(4), graph.input("image", (6, 6, 3)))
    built = graph.build({"before": tensor, "after": graph.add(BatchNormalization(), tensor)})
    assert kinds(fold(built).graph) == ["input", "convolution", "depthwise_convolution"]


def test_the_rescaling_of_an_input_stays_for_the_input_tensor_to_carry():
    graph = graph_of(Rescaling(1 / 127.5, -1.0), Convolution(4), BatchNormalization())
    assert kinds(fold(graph).graph) == ["input", "rescaling", "convolution"]
    assert kinds(fold(graph, keep_input_rescaling=False).graph) == ["input", "depthwise_convolution", "convolution"]


def test_features_and_outputs_are_found_again():
    graph = GraphBuilder()
    tensor = graph.add(Convolution(4, strides=2, padding="same"), graph.input("image", (8, 8, 3)))
    tensor = graph.add(Activation("relu"), graph.add(BatchNormalization(), tensor))
    graph.feature(tensor)
    folded = fold(graph.build({"features": tensor})).graph
    assert folded.features == {"P1": 2} and folded.outputs == {"features": 2}


@pytest.mark.parametrize("name", ["mobilenet_v2", "mobilenet_v3"])
def test_real_backbones(name):
    """Compared after every node that remains: the end of a deep network hardly shows a fault in its middle."""
    import keras

    family = ROOM.load(name)
    graph = backbone_graph(family.model_validate({**family.variants[0], "weights": "none"}), (64, 64, 3))
    model, folded = random_weights(graph), fold(graph)
    assert not any(isinstance(node.type, AFFINE) for node in folded.graph.nodes[2:])
    other = build_model(folded.graph)
    set_weights(other, folded.weights(get_weights(model)))
    names = [n.name for n in folded.graph.nodes if n.type.kind == "activation"]
    assert len(names) > 20
    pixels = images((2, 64, 64, 3)) * 50
    one, two = (keras.Model(m.inputs, [m.get_layer(n).output for n in names]).predict_on_batch(pixels)
                for m in (model, other))  # fmt: skip
    assert max(np.abs(a - b).max() / np.abs(a).max() for a, b in zip(one, two, strict=True)) < 2e-5


def images(shape):
    return np.random.default_rng(1).normal(size=shape).astype("float32")
