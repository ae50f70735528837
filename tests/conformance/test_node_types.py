"""Every node type with all its options: shapes and weights are Keras's, and what a node refuses Keras cannot do."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import typing

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cnnpipe.graph.nodes as room
from cnnpipe.build import layer_class
from cnnpipe.graph.core import NodeType, ShapeError
from cnnpipe.graph.nodes.activation import Activation, ActivationName
from cnnpipe.graph.nodes.arg_max import ArgMax
from cnnpipe.graph.nodes.attention import MultiHeadAttention
from cnnpipe.graph.nodes.convolution import Convolution, DepthwiseConvolution, Initializer
from cnnpipe.graph.nodes.dense import Dense
from cnnpipe.graph.nodes.dropout import Dropout, StochasticDepth
from cnnpipe.graph.nodes.input import Input
from cnnpipe.graph.nodes.local_response_normalization import LocalResponseNormalization
from cnnpipe.graph.nodes.merge import Add, Concatenate, Multiply
from cnnpipe.graph.nodes.normalization import BatchNormalization, GroupNormalization, LayerNormalization
from cnnpipe.graph.nodes.objects import Columns, NonMaxSuppression, PlacedBoxes
from cnnpipe.graph.nodes.padding import CenteredPadding, Cropping, ZeroPadding
from cnnpipe.graph.nodes.patch_embedding import PatchEmbedding
from cnnpipe.graph.nodes.permute import Permute
from cnnpipe.graph.nodes.pooling import AveragePooling, GlobalAveragePooling, GlobalMaxPooling, MaxPooling
from cnnpipe.graph.nodes.positions import ConcatenatePositions
from cnnpipe.graph.nodes.rearrange import Flatten, Reshape
from cnnpipe.graph.nodes.regions import (
    AlignedRegions,
    ConvolvedRegions,
    DistinctBoxes,
    ProposedBoxes,
    RefinedBoxes,
    SideBySide,
)
from cnnpipe.graph.nodes.rescaling import ChannelScale, Normalization, Rescaling
from cnnpipe.graph.nodes.resize import Resizing, TransposedConvolution, Upsampling


def size(rank: int, most: int = 3):
    one = st.integers(1, most)
    return one | st.tuples(*[one] * rank)


def pairs(rank: int, most: int = 2):
    one = st.integers(0, most)
    return one | st.tuples(*[st.tuples(one, one)] * rank)


def shapes(rank: int):
    return st.tuples(*[st.integers(1, 7)] * rank, st.integers(1, 6))


flag = st.booleans()
padding = st.sampled_from(["same", "valid", "causal"])
numbers = st.floats(-2, 2)
starts = st.sampled_from(typing.get_args(Initializer))


def one_shape(node):
    """A strategy of (node, its one input shape), the rank drawn first."""
    return st.integers(1, 3).flatmap(lambda rank: st.tuples(node(rank), shapes(rank).map(lambda shape: (shape,))))


def any_shape(node):
    return st.integers(0, 3).flatmap(lambda rank: st.tuples(node, shapes(rank).map(lambda shape: (shape,))))


def per_channel(make, *values):
    """Nodes with one number per channel."""

    def node(shape):
        lists = [st.lists(value, min_size=shape[-1], max_size=shape[-1]).map(tuple) for value in values]
        return st.tuples(st.builds(make, *lists), st.just((shape,)))

    return st.integers(0, 3).flatmap(shapes).flatmap(node)


def several(node):
    """Two to three equal or nearly equal shapes."""

    def alike(shape):
        near = st.tuples(*[st.sampled_from([n, n, n, n, 1, n + 1]) for n in shape])
        return st.tuples(st.just(node), st.lists(near, min_size=1, max_size=2).map(lambda more: (shape, *more)))

    return st.integers(0, 3).flatmap(shapes).flatmap(alike)


def reshapes(shape):
    values = int(np.prod(shape))
    targets = [(values,), (values, 1), (1, 1, values), tuple(reversed(shape)), (values + 1,)]
    return st.tuples(st.sampled_from(targets).map(Reshape), st.just((shape,)))


def attention(rank):
    """Heads that divide the channels: what else there is Keras rounds, and we refuse."""
    heads, size = st.integers(1, 3), st.integers(1, 3)
    shape = st.tuples(*[st.integers(1, 5)] * rank)
    return st.tuples(heads, size, shape).map(lambda d: (MultiHeadAttention(d[0]), ((*d[2], d[0] * d[1]),)))


def permutes(shape):
    axes = list(range(1, len(shape) + 1))
    orders = st.permutations(axes) | st.just([*axes[1:], len(axes) + 1])
    return st.tuples(orders.map(tuple).map(Permute), st.just((shape,)))


lists = st.tuples(st.integers(1, 4), st.sampled_from([2, 2, 2, 3]))  # positions and channels

STRATEGIES = {
    Input: shapes(2).map(lambda shape: (Input(shape), ())),
    Convolution: one_shape(
        lambda r: st.builds(
            Convolution,
            st.integers(1, 6),
            size(r),
            size(r),
            padding,
            size(r, 2),
            st.sampled_from([1, 1, 2, 3]),
            flag,
            starts,
            st.sampled_from([0.0, -4.5]),
        )
    ),
    DepthwiseConvolution: one_shape(
        lambda r: st.builds(
            DepthwiseConvolution, size(r), size(r), padding, st.integers(1, 3), size(r, 2), flag, starts
        )
    ),
    TransposedConvolution: one_shape(
        lambda r: st.builds(TransposedConvolution, st.integers(1, 4), size(r), size(r), padding, flag)
    ),
    MaxPooling: one_shape(lambda r: st.builds(MaxPooling, size(r), st.none() | size(r), padding)),
    AveragePooling: one_shape(lambda r: st.builds(AveragePooling, size(r), st.none() | size(r), padding)),
    GlobalAveragePooling: any_shape(st.builds(GlobalAveragePooling, flag)),
    GlobalMaxPooling: any_shape(st.builds(GlobalMaxPooling, flag)),
    BatchNormalization: any_shape(st.builds(BatchNormalization, st.just(0.9), st.just(1e-3), flag, flag)),
    LayerNormalization: any_shape(st.builds(LayerNormalization, st.just(1e-5), flag, flag)),
    GroupNormalization: any_shape(st.builds(GroupNormalization, st.integers(1, 3), st.just(1e-5), flag, flag)),
    LocalResponseNormalization: st.tuples(
        st.builds(
            LocalResponseNormalization,
            st.integers(1, 3),
            st.floats(0.5, 2),
            st.floats(0, 1),
            st.sampled_from([0.5, 0.75]),
        ),
        shapes(2).map(lambda shape: (shape,)),
    ),
    Activation: any_shape(st.sampled_from(typing.get_args(ActivationName)).map(Activation)),
    Dense: any_shape(st.builds(Dense, st.integers(1, 5), flag)),
    Dropout: any_shape(st.builds(Dropout, st.floats(0, 0.9), flag)),
    StochasticDepth: any_shape(st.builds(StochasticDepth, st.floats(0, 0.9))),
    Flatten: any_shape(st.just(Flatten())),
    Reshape: st.integers(0, 3).flatmap(shapes).flatmap(reshapes),
    Add: several(Add()),
    Multiply: several(Multiply()),
    Concatenate: several(Concatenate()),
    ConcatenatePositions: st.tuples(
        st.just(ConcatenatePositions()), st.tuples(lists, lists) | st.tuples(lists, lists, lists)
    ),
    Upsampling: one_shape(lambda r: st.builds(Upsampling, size(r), st.sampled_from(["nearest", "bilinear"]))),
    Resizing: st.tuples(
        st.builds(Resizing, st.tuples(*[st.integers(1, 9)] * 2), st.sampled_from(["nearest", "bilinear"])),
        shapes(2).map(lambda shape: (shape,)),  # any other rank Keras would take for a map in 2D
    ),
    ZeroPadding: one_shape(lambda r: st.builds(ZeroPadding, pairs(r))),
    CenteredPadding: st.tuples(st.sampled_from([3, 5, 7]).map(CenteredPadding), shapes(2).map(lambda shape: (shape,))),
    Cropping: one_shape(lambda r: st.builds(Cropping, pairs(r))),
    Rescaling: any_shape(st.builds(Rescaling, numbers, numbers)) | per_channel(Rescaling, numbers, numbers),
    Normalization: per_channel(Normalization, numbers, st.floats(0.1, 2)) | any_shape(st.just(Normalization())),
    MultiHeadAttention: st.integers(1, 2).flatmap(attention),
    PatchEmbedding: st.tuples(st.integers(1, 4).map(PatchEmbedding), shapes(1).map(lambda shape: (shape,))),
    Permute: st.integers(0, 3).flatmap(shapes).flatmap(permutes),
    PlacedBoxes: st.tuples(st.just(PlacedBoxes(((2, 3), (1, 2)), (8, 16), 4.0, 3.0)), st.tuples(st.just((8, 4)))),
    NonMaxSuppression: st.tuples(
        st.builds(NonMaxSuppression, st.just((9, 9)), st.integers(1, 9), st.floats(0, 1), st.floats(0.1, 0.9), flag),
        st.tuples(st.just((8, 4)), st.sampled_from([(8, 1), (8, 3)])),
    ),
    Columns: st.tuples(st.builds(Columns, st.integers(0, 4), st.integers(1, 3), flag), st.tuples(st.just((5, 7)))),
    ProposedBoxes: st.tuples(
        st.builds(
            ProposedBoxes,
            st.just(((2, 3), (1, 2))),
            st.just((8, 16)),
            st.just(3.0),
            st.just((0.5, 2.0)),
            st.just((0.1, 0.1, 0.2, 0.2)),
            st.just((16, 24)),
            st.sampled_from([1, 16]),
        ),
        st.just(((16, 1), (16, 4))),
    ),
    DistinctBoxes: st.tuples(
        st.builds(DistinctBoxes, st.sampled_from([1, 6]), st.just(0.5), st.integers(1, 2)),
        st.tuples(st.sampled_from([(6, 6), (7, 7)])),
    ),
    AlignedRegions: st.tuples(
        st.builds(AlignedRegions, st.just((8, 16)), st.integers(1, 2), st.integers(1, 2)),
        st.just(((3, 5), (4, 6, 2), (2, 3, 2))),
    ),
    ConvolvedRegions: st.tuples(
        st.builds(ConvolvedRegions, st.integers(1, 3), st.integers(1, 3), flag), st.just(((2, 4, 3, 2),))
    ),
    RefinedBoxes: st.tuples(st.just(RefinedBoxes((0.1, 0.1, 0.2, 0.2), (16, 24))), st.just(((3, 5), (3, 4)))),
    SideBySide: st.tuples(st.just(SideBySide()), st.sampled_from([((3,), (2, 2)), ((1,), (4, 4, 2), (5, 1))])),
    ArgMax: any_shape(st.just(ArgMax())),
    ChannelScale: st.tuples(st.builds(ChannelScale, numbers), shapes(2).map(lambda shape: (shape,))),
}


def node_types() -> set[type[NodeType]]:
    modules = [importlib.import_module(f"{room.__name__}.{info.name}") for info in pkgutil.iter_modules(room.__path__)]
    members = [member for module in modules for _, member in inspect.getmembers(module, inspect.isclass)]
    return {m for m in members if issubclass(m, NodeType) and m is not NodeType and not m.__name__.startswith("_")}


def test_every_node_type_is_proved():
    assert node_types() == set(STRATEGIES)


def keras_layer(node: NodeType, inputs):
    data = node.keras_layer(*inputs)
    return layer_class(data.class_name)(**data.config)


def run_keras(node: NodeType, inputs):
    """Return output shape and weight shapes of the Keras layer, by running it on zeros."""
    layer = keras_layer(node, inputs)
    if isinstance(node, Input):
        return layer.output.shape[1:], []
    zeros = [np.zeros((1, *shape), "float32") for shape in inputs]
    output = layer(*zeros * node.keras_layer(*inputs).copies if len(zeros) == 1 else [zeros])
    return tuple(output.shape[1:]), [tuple(weight.shape) for weight in layer.weights]


@pytest.mark.filterwarnings("ignore:You are using a softmax")
@pytest.mark.parametrize("kind", STRATEGIES, ids=lambda kind: kind.__name__)
@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_node_is_the_keras_layer(kind, data):
    node, inputs = data.draw(STRATEGIES[kind])
    try:
        expected = node.output_shape(*inputs)
    except ShapeError as error:
        # Keras documents this as impossible, and lets some depthwise convolutions pass all the same
        assert "cannot both be above 1" in str(error) or keras_refuses(node, inputs)
        return
    output, weights = run_keras(node, inputs)
    assert output == expected
    assert weights == list(node.weights(*inputs).values())


def keras_refuses(node: NodeType, inputs) -> bool:
    """Ask Keras for the shape only: to run what it should refuse can end the process."""
    tensors = [keras.KerasTensor((1, *shape)) for shape in inputs]
    try:
        output = keras_layer(node, inputs)(tensors[0] if len(tensors) == 1 else tensors)
    except Exception:
        return True
    return min(output.shape) < 1
