"""Where fake quantization is put, and what is refused, without Keras."""

from __future__ import annotations

import pytest

from cnnpipe.errors import Place, ProblemError
from cnnpipe.graph import GraphBuilder
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.graph.nodes.dense import Dense
from cnnpipe.graph.nodes.merge import Add, Concatenate
from cnnpipe.graph.nodes.normalization import BatchNormalization, LayerNormalization
from cnnpipe.graph.nodes.pooling import AveragePooling, GlobalAveragePooling, MaxPooling
from cnnpipe.graph.nodes.rearrange import Flatten
from cnnpipe.graph.nodes.rescaling import Rescaling
from cnnpipe.graph.nodes.resize import Upsampling
from cnnpipe.quantization.aware.network import rounded
from cnnpipe.quantization.aware.nodes import FakeQuantization, SharedFakeQuantization

RANGES = (FakeQuantization, SharedFakeQuantization)


def chain(*nodes, shape=(8, 8, 3)):
    graph = GraphBuilder()
    tensor = graph.input("image", shape)
    for node in nodes:
        tensor = graph.add(node, tensor)
    return graph.build({"end": tensor})


def ranged(graph, **options):
    """Return the kinds of the nodes that have a range after them."""
    made = rounded(graph, **{"granularity": "per_channel", "carried": True, "pixels": True, **options}).graph
    read = [made.nodes[node.inputs[0]] for node in made.nodes if isinstance(node.type, RANGES)]
    return [getattr(node.type, "exact", node.type).kind for node in read]


def test_ranges_follow_what_computes_and_not_what_moves_values():
    graph = chain(
        Convolution(4), BatchNormalization(), Activation("relu"), MaxPooling(2), Upsampling(2), AveragePooling(2),
        Convolution(4, 1), Activation("tanh"), GlobalAveragePooling(), Flatten(), Dense(3),
    )  # fmt: skip
    expected = ["input", "activation", "convolution", "activation", "global_average_pooling", "dense"]
    assert ranged(graph) == expected


def test_a_sum_takes_its_relu_along_only_where_nobody_else_reads_it():
    def graph(twice):
        builder = GraphBuilder()
        tensor = builder.add(Add(), *[builder.input("image", (4, 4, 2))] * 2)
        last = builder.add(Activation("relu"), tensor)
        return builder.build({"end": builder.add(Add(), last, tensor) if twice else last})

    assert ranged(graph(False)) == ["input", "activation"]
    assert ranged(graph(True)) == ["input", "add", "activation", "add"]


def test_an_input_tensor_that_carries_the_normalization_has_its_range():
    graph = chain(Rescaling(1 / 127.5, -1.0), Convolution(2))
    made = rounded(graph, "per_channel", carried=True, pixels=True).graph
    (first, *_) = [node for node in made.nodes if isinstance(node.type, FakeQuantization)]
    low, high = first.type.fixed
    assert made.nodes[first.inputs[0]].type.kind == "rescaling"
    assert (low, high - low) == (-128 / 127.5, pytest.approx(255 / 127.5))
    assert ranged(graph, carried=False)[:2] == ["input", "depthwise_convolution"]


def test_tensors_that_meet_share_one_range_through_all_that_keeps_it():
    builder = GraphBuilder()
    image = builder.input("image", (8, 8, 3))
    a, b, c = (builder.add(Convolution(4, padding="same"), image) for _ in range(3))
    inner = builder.add(Concatenate(), builder.add(MaxPooling(3, 1, "same"), a), b)
    built = builder.build({"end": builder.add(Concatenate(), builder.add(Upsampling(1), inner), c)})
    made = rounded(built, "per_channel", carried=True, pixels=True).graph
    (shared,) = [n for n in made.nodes if isinstance(n.type, FakeQuantization) and not n.type.fixed]
    assert shared.type.tensors == 5
    followers = [n.type for n in made.nodes if isinstance(n.type, SharedFakeQuantization)]
    assert [(f.node, f.tensor) for f in followers] == [(shared.name, number) for number in (1, 2, 3, 4)]


def test_tensors_of_a_prescribed_range_keep_it_and_the_result_has_its_own():
    builder = GraphBuilder()
    image = builder.input("image", (8, 8, 3))
    a, b = (builder.add(Convolution(4), image) for _ in range(2))
    built = builder.build({"end": builder.add(Concatenate(), builder.add(Activation("sigmoid"), a), b)})
    assert ranged(built) == ["input", "convolution", "convolution", "activation", "concatenate"]


def test_probabilities_have_the_range_that_litert_prescribes():
    made = rounded(chain(Flatten(), Dense(3), Activation("softmax")), "per_channel", True, True).graph
    assert made.nodes[made.outputs["end"]].type.fixed == (0.0, 255 / 256)


def test_what_has_no_int8_form_is_a_problem_at_its_line():
    place = Place("recipe.yaml", 7, 3)
    builder = GraphBuilder(lambda path: place)
    tensor = builder.add(Activation("gelu"), builder.add(LayerNormalization(), builder.input("image", (4, 4, 2))))
    with pytest.raises(ProblemError) as caught:
        rounded(builder.build({"end": tensor}), "per_channel", True, True)
    said = [problem.message for problem in caught.value.problems]
    assert said == [
        "cannot be trained quantization-aware: the layer layer_normalization",
        "cannot be trained quantization-aware: the activation 'gelu'",
    ]
    assert {problem.place for problem in caught.value.problems} == {place}


def test_signals_are_refused():
    with pytest.raises(ProblemError, match="in 1D"):
        rounded(chain(Convolution(2), shape=(8, 3)), "per_channel", True, True)
