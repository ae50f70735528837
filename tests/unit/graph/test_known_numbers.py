"""Numbers that every textbook on convolutional networks works out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnpipe.graph import GraphBuilder, ShapeError
from cnnpipe.graph.memory import live_bytes, peak_bytes
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.graph.nodes.dense import Dense
from cnnpipe.graph.nodes.merge import Add
from cnnpipe.graph.nodes.padding import ZeroPadding
from cnnpipe.graph.nodes.rearrange import Flatten
from cnnpipe.graph.receptive_field import receptive_fields
from cnnpipe.graph.table import dense_parameters, rows, totals
from cnnpipe.graph.totals import macs, parameters
from cnnpipe.jobs.describe import describe


def chain(shape, *nodes):
    """Return the graph of nodes one after the other."""
    builder = GraphBuilder()
    tensor = builder.input("image", shape)
    for node in nodes:
        tensor = builder.add(node, tensor)
    return builder.build({"features": tensor})


@pytest.mark.parametrize(("side", "values", "weights"), [(256, 196_608, 196_608_000), (224, 150_528, 150_528_000)])
def test_dense_layer_on_a_whole_image(side, values, weights):
    graph = chain((side, side, 3), Flatten(), Dense(1000))
    assert graph.nodes[1].shape == (values,)
    assert parameters(graph) == weights + 1000
    assert macs(graph) == weights


def test_64_filters_of_3x3x3():
    graph = chain((224, 224, 3), Convolution(64, 3, padding="same"))
    assert graph.nodes[1].type.weights((224, 224, 3)) == {"kernel": (3, 3, 3, 64), "bias": (64,)}
    assert parameters(graph) == 1_728 + 64
    assert macs(graph) == 224 * 224 * 1_728
    assert dense_parameters(graph) == [None, 150_528 * 224 * 224 * 64 + 224 * 224 * 64]


def shapes_of(recipe):
    layers = describe(recipe).layers
    kept = ("max_pooling", "flatten", "dense")
    return [tuple(row["output_shape"]) for row in layers if row["type"] in kept]


def test_shipped_network_of_two_convolutions():
    assert shapes_of("two_conv") == [(112, 112, 32), (56, 56, 64), (200_704,), (128,), (10,)]


def test_shipped_network_like_vgg():
    assert shapes_of("vgg_two_two_two") == [(112, 112, 64), (56, 56, 128), (28, 28, 256), (200_704,), (128,), (10,)]
    layers = describe("vgg_two_two_two").layers
    assert [row["output_shape"][-1] for row in layers if row["type"] == "convolution"] == [64, 64, 128, 128, 256, 256]


def test_shipped_network_of_one_convolution():
    assert shapes_of("one_conv") == [(16, 16, 16), (4_096,), (10,)]
    assert describe("one_conv").totals["parameters"] == (3 * 3 * 3 * 16 + 16) + (4_096 * 10 + 10)


@given(n=st.integers(1, 30), k=st.integers(1, 6), s=st.integers(1, 4), d=st.integers(1, 3), p=st.integers(0, 3))
def test_output_size(n, k, s, d, p):
    """Count by hand the places where a window of k values, d apart, fits into n values and p zeros at both ends."""
    if s > 1 and d > 1:
        return
    values = range(n + 2 * p)
    places = [start for start in values if start % s == 0 and start + d * (k - 1) in values]
    assert len(places) == max((n + 2 * p - d * (k - 1) - 1) // s + 1, 0)
    if not places:
        with pytest.raises(ShapeError, match=rf"/{s}\) \+ 1 = (0|-\d+)$"):
            Convolution(1, k, s, "valid", d).output_shape((n + 2 * p, 1))
        return
    padded = ZeroPadding(p).output_shape((n, 1))
    assert Convolution(1, k, s, "valid", d).output_shape(padded) == (len(places), 1)


def test_two_stacked_3x3_see_5x5():
    conv = Convolution(8, 3, padding="same")
    assert receptive_fields(chain((32, 32, 3), conv, conv, conv)) == [[1, 1], [3, 3], [5, 5], [7, 7]]


def test_peak_of_live_tensors():
    builder = GraphBuilder()
    image = builder.input("image", (4, 4, 2))
    wide = builder.add(Convolution(8, 3, padding="same"), image)
    active = builder.add(Activation("relu"), wide)
    narrow = builder.add(Convolution(2, 3, padding="same"), active)
    graph = builder.build({"features": builder.add(Add(), narrow, image)})
    small, large = 4 * 4 * 2 * 4, 4 * 4 * 8 * 4
    # the image stays alive for the sum at the end
    assert live_bytes(graph) == [small, small + large, small + 2 * large, 2 * small + large, 3 * small]
    assert peak_bytes(graph) == totals({"model": graph})["activation_bytes"] == small + 2 * large


def test_an_output_stays_alive_to_the_end():
    builder = GraphBuilder()
    first = builder.add(Dense(8), builder.input("vector", (4,)))
    second = builder.add(Dense(2), builder.add(Dense(2), first))
    graph = builder.build({"first": first, "second": second})
    assert live_bytes(graph) == [16, 16 + 32, 32 + 8, 32 + 8 + 8]


def test_a_row_of_the_table():
    row = rows(chain((32, 32, 3), Convolution(16, 3, padding="same")))[1]
    assert row == {
        "name": "n001_convolution",
        "block": "",
        "type": "convolution",
        "line": None,
        "output_shape": [32, 32, 16],
        "parameters": 448,
        "macs": 442_368,
        "receptive_field": [3, 3],
        "activation_bytes": 65_536,
    }


def test_totals_of_several_networks():
    small, large = chain((4,), Dense(2)), chain((8,), Dense(3))
    assert totals({"small": small, "large": large}) == {
        "parameters": 10 + 27,
        "macs": 8 + 24,
        "activation_bytes": (8 + 3) * 4,
    }
