"""Every node type and block: the int8 file says what the network with fake quantization says, step for step.

All of them are outputs of one network, so that there is one conversion.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import typing

import numpy as np
import pytest

import cnnpipe.graph.nodes as room
from cnnpipe import litert_file
from cnnpipe.blocks import ROOM
from cnnpipe.build import build_model, get_weights, load_weights, plan, save_weights, set_weights
from cnnpipe.bundle.runtime import file_outputs, open_file
from cnnpipe.bundle.workers import CONVERSION_SECONDS, Job, Workers
from cnnpipe.exporters.litert import Litert
from cnnpipe.graph import GraphBuilder, NodeType
from cnnpipe.graph.nodes.activation import Activation, ActivationName
from cnnpipe.graph.nodes.arg_max import ArgMax
from cnnpipe.graph.nodes.attention import MultiHeadAttention
from cnnpipe.graph.nodes.convolution import Convolution, DepthwiseConvolution
from cnnpipe.graph.nodes.dense import Dense
from cnnpipe.graph.nodes.dropout import Dropout, StochasticDepth
from cnnpipe.graph.nodes.input import Input
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
from cnnpipe.quantization.aware.biases import rounded_biases
from cnnpipe.quantization.aware.insertion import ACTIVATIONS, unfit
from cnnpipe.quantization.aware.network import rounded
from cnnpipe.quantization.aware.ranges import calibrated
from cnnpipe.quantization.aware.scales import wrong_scales

C = 4


def same(filters: int = C, **options) -> Convolution:
    return Convolution(filters, 3, padding="same", **options)


CHAINS: dict[str, list[NodeType]] = {
    "convolution": [same()],
    "without_bias": [same(use_bias=False)],
    "groups": [same(groups=2)],
    "normalized": [same(use_bias=False), BatchNormalization(), Activation("relu6")],
    "depthwise": [DepthwiseConvolution(3, strides=2, padding="same", use_bias=False), BatchNormalization()],
    "multiplier": [DepthwiseConvolution(3, depth_multiplier=2)],
    "transposed": [TransposedConvolution(5, 3, strides=2, padding="same"), Activation("relu")],
    "dense": [Flatten(), Dense(5), Activation("relu"), Dropout(0.5), Dense(3)],
    "dense_on_a_map": [Dense(5)],
    "probabilities": [GlobalAveragePooling(), Dense(5), Activation("softmax")],
    "normalization_alone": [StochasticDepth(0.5), BatchNormalization(), Activation("relu"), same()],
    "normalization_of_a_vector": [GlobalMaxPooling(), BatchNormalization(), Dense(3)],
    "measured": [Normalization(), same()],
    "scaled": [ChannelScale(), Rescaling((1.0, 2.0, 0.5, 1.0), 0.1), same()],
    "max_pooling": [same(), MaxPooling(2), same()],
    "average_pooling": [same(), AveragePooling(2), same()],
    "padding": [same(), ZeroPadding(((1, 0), (2, 1))), CenteredPadding(3), Convolution(C, 3), Cropping(1)],
    "reshape": [same(), Reshape((4, 16, C)), same()],
    "nearest": [same(), Upsampling(2, "nearest"), same()],
    "bilinear": [same(), Upsampling(2, "bilinear"), same(), Resizing((5, 6)), same()],
    **{f"activation_{name}": [same(), Activation(name), same()] for name in ACTIVATIONS},
    "activation_silu": [same(), Activation("silu"), same()],
    "activation_hard_sigmoid": [same(), Activation("hard_sigmoid"), same()],
    "activation_linear": [same(), Activation("linear"), same()],
}
REFUSED = {"gelu", "elu", "selu", "mish", "softplus", "softsign", "exponential"}


def add(graph: GraphBuilder, nodes, tensor):
    for node in nodes:
        tensor = graph.add(node, tensor)
    return tensor


def joined(graph: GraphBuilder, tensor):
    """Return branches that meet, by name."""
    a, b = graph.add(same(), tensor), graph.add(DepthwiseConvolution(3, padding="same"), tensor)
    inner = graph.add(Concatenate(), a, graph.add(MaxPooling(3, 1, "same"), b))
    prescribed = graph.add(Concatenate(), graph.add(Activation("sigmoid"), a), b)
    return {
        "sum": graph.add(Activation("relu"), graph.add(Add(), a, b)),
        "sum_of_three": graph.add(same(), graph.add(Add(), a, tensor, b)),
        "product": graph.add(same(), graph.add(Multiply(), a, b, graph.add(GlobalAveragePooling(True), b))),
        "nested": graph.add(same(), graph.add(Concatenate(), inner, graph.add(Upsampling(1, "bilinear"), a))),
        "normalized_join": graph.add(same(), graph.add(BatchNormalization(), inner)),
        "prescribed": graph.add(same(), prescribed),
    }


def everything(blocks=True):
    """Return one network with an output for each chain, join and example of a block in 2D."""
    graph = GraphBuilder()
    image = graph.input("image", (8, 8, C))
    ends = {name: add(graph, nodes, image) for name, nodes in CHAINS.items()} | joined(graph, image)
    for name in ROOM.names() if blocks else ():
        block = ROOM.load(name)
        for number, example in enumerate(block.examples):
            builder = alone(block, name, example)
            if list(unfit(rounded_source(builder))):
                continue
            tensor = graph.input(f"input_{name}_{number}", block.example_input)
            end = block.model_validate({"type": name, **example}).expand(graph, tensor)
            if name == "dropout":  # which is nothing at all in a file
                end = graph.add(Dense(3), end)
            ends[f"block_{name}_{number}"] = end
    return graph.build(ends)


def alone(block, name, example):
    graph = GraphBuilder()
    tensor = block.model_validate({"type": name, **example}).expand(graph, graph.input("image", block.example_input))
    return graph.build({"features": tensor})


def rounded_source(graph):
    from cnnpipe.graph.folding import fold
    from cnnpipe.quantization.aware.expansion import expand

    return fold(expand(graph)).graph


def trained(graph):
    """Return a model of random weights, statistics far from untrained ones."""
    model, random = build_model(graph), np.random.default_rng(0)
    values = {}
    for name, arrays in get_weights(model).items():
        signs = 1.0 if "normalization" in name else None
        values[name] = [
            random.uniform(0.3, 1.5, a.shape)
            * (signs or random.choice([-1, 1], a.shape) / np.sqrt(max(1, a.size / a.shape[-1])))
            for a in arrays
        ]
    set_weights(model, values)
    return model


def said(model, examples, graph):
    """Return the outputs of a model by name; Keras wants no names where there is but one."""
    found = model(examples if len(examples) > 1 else next(iter(examples.values())))
    named = found if isinstance(found, dict) else dict.fromkeys(graph.outputs, found)
    return {name: np.asarray(value) for name, value in named.items()}


class Converted:
    """The network of everything, its fake-quantized form, and the answers of its file."""

    def __init__(self, granularity, folder, graph):
        random = np.random.default_rng(1)
        self.examples = {
            name: random.normal(size=(16, *graph.nodes[position].shape)).astype("float32")
            for name, position in graph.inputs.items()
        }
        network = rounded(graph, granularity, carried=False, pixels=False)
        exact = network.exact.weights(get_weights(trained(graph)))
        weights = rounded_biases(network.graph, calibrated(network, exact, self.examples))
        model = build_model(network.graph)
        set_weights(model, weights)
        self.expected = said(model, self.examples, graph)
        self.graph = network.graph
        save_weights(folder / "weights.npz", weights)
        inputs = {name: graph.nodes[position].shape for name, position in graph.inputs.items()}
        file = folder / "model.tflite"
        job = Job(
            exporter=Litert().model_dump(), plan=plan(network.graph), inputs=inputs, weights=folder / "weights.npz",
            seed=0, calibration=None, normalization=None, quantization="int8", input_type="int8", output_type="int8",
            file=file, granularity=granularity,
        )  # fmt: skip
        with Workers() as workers:
            workers.converter.call("cnnpipe.bundle.workers.convert", job, timeout=CONVERSION_SECONDS)
            self.runnable = open_file(workers.runtime, Litert(), file, None)
            self.found = file_outputs(workers.runtime, self.runnable, self.examples)
        self.model = litert_file.read(file.read_bytes())

    def steps(self, name):
        """Return how many steps of the output each value of the file is off."""
        (scale,) = [tensor.scale for tensor in self.runnable.facts.outputs if tensor.name == name]
        return np.abs(self.found[name] - self.expected[name]) / scale


GRAPH = everything()


@pytest.fixture(scope="module", params=["per_channel", "per_tensor"])
def converted(request, tmp_path_factory):
    graph = GRAPH if request.param == "per_channel" else everything(blocks=False)
    return Converted(request.param, tmp_path_factory.mktemp(request.param), graph)


def test_files_hold_integers_only(converted):
    types = {litert_file._dtype(tensor) for graph in converted.model.subgraphs for tensor in graph.tensors}
    assert types == {"int8", "int32"}


def test_files_say_what_the_network_with_rounding_says(converted):
    assert len(converted.expected) > 35
    wrong = {}
    for name, expected in converted.expected.items():
        assert np.ptp(expected) > 0, name
        steps = converted.steps(name)
        if (steps > 1.01).mean() > (0.1 if "pool" in name else 0.01) or steps.max() > 4:
            wrong[name] = (steps.max(), (steps > 1.01).mean())
    assert not wrong


def test_weights_have_a_scale_for_each_channel_where_they_can(converted, request):
    scales = {}
    for name, operator, graph in litert_file._operators(converted.model):
        if name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            scales.setdefault(name, set()).add(len(graph.tensors[operator.inputs[1]].quantization.scale))
    per_channel = "per_channel" in request.node.name
    assert (max(scales["CONV_2D"]) > 1) == (max(scales["DEPTHWISE_CONV_2D"]) > 1) == per_channel
    assert scales["FULLY_CONNECTED"] == {1}


def test_a_range_that_is_off_is_noticed(tmp_path):
    """By what the file says, and at any depth by its scales, after one range was made four times as wide."""
    graph = GraphBuilder()
    tensor = add(graph, [same(), Activation("relu"), same()], graph.input("image", (8, 8, C)))
    whole = Converted("per_channel", tmp_path, graph.build({"end": tensor}))
    assert (whole.steps("end") > 0.5).mean() < 0.01
    right, file = load_weights(tmp_path / "weights.npz"), tmp_path / "model.tflite"
    assert not list(wrong_scales(whole.graph, right, file))
    ranges = [node.name for node in whole.graph.nodes if node.type.kind == "fake_quantization"]
    for name in ranges:
        broken = build_model(whole.graph)
        weights = {**right, name: [4 * bound for bound in right[name]]}
        set_weights(broken, weights)
        whole.expected = said(broken, whole.examples, whole.graph)
        assert (whole.steps("end") > 0.5).mean() > 0.05, name
        (problem,) = wrong_scales(whole.graph, weights, file)
        assert name.removesuffix("_range") in problem.message


def test_all_node_types_are_seen_or_refused():
    modules = [importlib.import_module(f"{room.__name__}.{info.name}") for info in pkgutil.iter_modules(room.__path__)]
    members = {member for module in modules for _, member in inspect.getmembers(module, inspect.isclass)}
    types = {m for m in members if issubclass(m, NodeType) and m is not NodeType and not m.__name__.startswith("_")}
    types -= {kind for kind in types if kind.only_in_float}  # which are neither predicted nor rounded
    seen = {type(node.type) for node in GRAPH.nodes}
    nodes = (LayerNormalization(), GroupNormalization(2), LocalResponseNormalization(), Permute((2, 1, 3)), ArgMax())
    sequences = (MultiHeadAttention(2), PatchEmbedding(3), ConcatenatePositions())
    refused = {type(node) for node in (*nodes, *sequences)}
    assert types == seen | refused and not seen & refused and Input in seen
    for node in (*nodes, *sequences, *map(Activation, sorted(REFUSED))):
        graph = GraphBuilder()
        shape = (8, C) if node in sequences else (8, 8, C)
        built = graph.build({"features": graph.add(node, graph.input("image", shape))})
        (problem,) = unfit(rounded_source(built))
        assert "cannot be trained quantization-aware" in problem.message
    names = set(typing.get_args(ActivationName))
    assert names == REFUSED | set(ACTIVATIONS) | {"silu", "swish", "hard_sigmoid", "linear"}


def test_most_blocks_are_seen():
    seen = {name.removeprefix("block_").rpartition("_")[0] for name in GRAPH.outputs if name.startswith("block_")}
    refused = {"local_response_normalization", "layer_normalization", "convnext"}
    assert seen == set(ROOM.names()) - refused - {"patch_embedding", "transformer_encoder", "class_token", "mobilevit"}


def test_names_stay_unique_and_outputs_stay_outputs():
    network = rounded(GRAPH, "per_channel", carried=False, pixels=True)
    names = [node.name for node in network.graph.nodes]
    assert len(set(names)) == len(names)
    assert list(network.graph.outputs) == list(GRAPH.outputs)
