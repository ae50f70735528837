"""The receptive field, against brute force: change one input value and see which outputs move."""

from __future__ import annotations

import numpy as np
import pytest

from cnnpipe.build import build_model
from cnnpipe.graph import GraphBuilder
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.graph.nodes.dense import Dense
from cnnpipe.graph.nodes.merge import Add
from cnnpipe.graph.nodes.normalization import GroupNormalization
from cnnpipe.graph.nodes.pooling import AveragePooling, GlobalAveragePooling, MaxPooling
from cnnpipe.graph.nodes.rearrange import Flatten, Reshape
from cnnpipe.graph.nodes.resize import TransposedConvolution, Upsampling
from cnnpipe.graph.receptive_field import receptive_fields


def chain(shape, *nodes):
    builder = GraphBuilder()
    tensor = builder.input("signal", shape)
    for node in nodes:
        tensor = builder.add(node, tensor)
    return builder.build({"features": tensor})


def seen_by_brute_force(graph, length):
    """Return the largest distance, plus 1, of two input values that reach the same output value."""
    model = build_model(graph)
    for layer in model.layers:
        layer.set_weights([np.ones(weight.shape) for weight in layer.weights])
    ones = np.eye(length, dtype="float32")[..., None]
    reached = model.predict(ones, verbose=0)[..., 0] != model.predict(ones * 0, verbose=0)[..., 0]  # (input, output)
    spans = [np.flatnonzero(column) for column in reached.T]
    return max(span[-1] - span[0] + 1 for span in spans if len(span))


@pytest.mark.parametrize(
    "nodes",
    [
        (Convolution(1, 3, padding="same"), Convolution(1, 3, padding="same")),
        (Convolution(1, 3, 2, "same"), AveragePooling(2), Convolution(1, 5, padding="same")),
        (Convolution(1, 3, dilation_rate=4), Convolution(1, 2)),
        (Convolution(1, 4, padding="causal", dilation_rate=2), AveragePooling(3, 2)),
        (AveragePooling(2), Upsampling(2), Convolution(1, 3, padding="same")),
        (AveragePooling(4), TransposedConvolution(1, 4, 2, "same")),
    ],
    ids=["two convolutions", "strides", "dilation", "causal", "upsampling", "transposed"],
)
def test_field_by_brute_force(nodes):
    graph = chain((48, 1), *nodes)
    assert receptive_fields(graph)[-1] == [seen_by_brute_force(graph, 48)]


def test_the_wider_branch_counts():
    builder = GraphBuilder()
    image = builder.input("image", (32, 32, 4))
    deep = builder.add(Convolution(4, 5, padding="same"), image)
    graph = builder.build({"features": builder.add(Add(), image, deep)})
    assert receptive_fields(graph)[-1] == [5, 5]


@pytest.mark.parametrize(
    "node",
    [GlobalAveragePooling(), GlobalAveragePooling(keepdims=True), GroupNormalization(2), Reshape((64, 4))],
    ids=str,
)
def test_all_positions_mixed(node):
    assert receptive_fields(chain((8, 8, 4), node))[-1] is None


def test_flatten_sees_what_it_saw_and_dense_all():
    fields = receptive_fields(chain((32, 32, 1), Convolution(2, 3), Flatten(), Dense(4), Dense(4)))
    assert fields == [[1, 1], [3, 3], [3, 3], None, None]


def test_one_axis_covered_ends_at_its_size():
    fields = receptive_fields(chain((40, 4, 1), Convolution(2, (5, 7), padding="same"), MaxPooling((40, 1))))
    assert fields == [[1, 1], [5, 4], None]
