"""Predicted programs against files: whole backbones at 96x96, and some hundred ways in which few nodes can meet.

By hand, an hour and more on two cores; the small ones alone: `pytest tests/stress/test_all_lowerings.py -k case`.
"""

from __future__ import annotations

import typing

import pytest

from cnnpipe.graph import Graph, GraphBuilder
from cnnpipe.graph.affine import input_affine
from cnnpipe.graph.nodes.activation import Activation, ActivationName
from cnnpipe.graph.nodes.convolution import Convolution, DepthwiseConvolution
from cnnpipe.graph.nodes.dense import Dense
from cnnpipe.graph.nodes.dropout import Dropout, StochasticDepth
from cnnpipe.graph.nodes.merge import Add, Concatenate, Multiply
from cnnpipe.graph.nodes.normalization import BatchNormalization, GroupNormalization, LayerNormalization
from cnnpipe.graph.nodes.padding import CenteredPadding, Cropping, ZeroPadding
from cnnpipe.graph.nodes.pooling import AveragePooling, GlobalAveragePooling, GlobalMaxPooling, MaxPooling
from cnnpipe.graph.nodes.rearrange import Flatten, Reshape
from cnnpipe.graph.nodes.rescaling import ChannelScale, Normalization, Rescaling
from cnnpipe.graph.nodes.resize import Resizing, TransposedConvolution, Upsampling
from cnnpipe.jobs.compiling import compile_loaded
from cnnpipe.recipe.load import load_recipe

FAMILIES = {
    "mobilenet": "alpha: 0.25", "mobilenet_v2": "alpha: 0.35", "mobilenet_v3": "", "resnet": "",
    "resnet_v2": "", "densenet": "", "inception_v3": "", "xception": "", "nasnet": "", "efficientnet": "",
    "efficientnet_v2": "", "inception_resnet_v2": "", "vgg": "", "convnext": "",
}  # fmt: skip
RECIPE = """
task: {{type: image_classification, classes: 10}}
data:
  source: {{type: image_folder, path: nowhere}}
  preprocessing: {{image_size: [96, 96]}}
model: {{backbone: {{type: {type}, weights: none, {options}}}}}
training: {{epochs: 1}}
"""
NOT_IN_MICRO = ("gelu", "mish", "selu", "softplus", "exponential", "convnext", "up_1d")
"""What LiteRT Micro lacks."""
MAP = (16, 16, 4)
CASES: dict[str, Graph] = {}


def conv(filters: int = 8, kernel_size: int = 3, **options) -> Convolution:
    return Convolution(filters, kernel_size, **{"padding": "same", **options})


def seq(graph: GraphBuilder, tensor, *nodes):
    for node in nodes:
        tensor = graph.add(node, tensor)
    return tensor


def case(name, shape, *nodes) -> None:
    case2(name, shape, lambda graph, tensor: seq(graph, tensor, *nodes))


def case2(name, shape, build) -> None:
    graph = GraphBuilder()
    CASES[name] = graph.build({"output": build(graph, graph.input("image", shape))})


TAIL = (GlobalAveragePooling(), Dense(5))
# rescaling before things
for off in (0.0, -1.0):
    for pad in ("same", "valid"):
        case(f"rescale{off}_{pad}", MAP, Rescaling(1 / 127.5, off), conv(padding=pad), Activation("relu"), *TAIL)
case("rescale_vec", MAP, Rescaling((0.1, 0.2, 0.3, 0.4), (1.0, 2.0, 3.0, 4.0)), conv(), *TAIL)
case("rescale_vec0", MAP, Rescaling((0.1, 0.2, 0.3, 0.4)), conv(), *TAIL)
case("rescale_dw", MAP, Rescaling(1 / 127.5, -1.0), DepthwiseConvolution(3, padding="same"), *TAIL)
case("rescale_dense", (64,), Rescaling(1 / 127.5, -1.0), Dense(8), Activation("relu"), Dense(4))
case("rescale_flat", (8, 8, 1), Rescaling(1 / 255), Flatten(), Dense(8), Activation("relu"), Dense(4))
case("rescale_pool", MAP, Rescaling(1 / 255), MaxPooling(), conv(), *TAIL)
case("rescale_flip", MAP, Rescaling((2.0, 2.0, 2.0, 2.0), 1.0), MaxPooling(), conv(), *TAIL)
case("normalize_given", MAP, Normalization((1.0, 2.0, 3.0, 4.0), (1.0, 2.0, 3.0, 4.0)), conv(), *TAIL)
case("normalize", MAP, Normalization(), conv(), *TAIL)
# conv kinds
case("conv_dilated", MAP, conv(dilation_rate=2), Activation("relu"), *TAIL)
case("conv_dilated_valid", MAP, conv(dilation_rate=2, padding="valid"), Activation("relu"), *TAIL)
case("conv_dilated_bn", MAP, conv(dilation_rate=2, use_bias=False), BatchNormalization(), Activation("relu"), *TAIL)
case("conv_nobias", MAP, conv(use_bias=False), *TAIL)
case("conv_groups", MAP, conv(groups=2), Activation("relu"), *TAIL)
case("conv_groups_bn", MAP, conv(groups=2), BatchNormalization(), Activation("relu"), *TAIL)
case("dw_dilated", MAP, conv(), DepthwiseConvolution(3, dilation_rate=2, padding="same"), Activation("relu"), *TAIL)
case(
    "dw_mult2",
    MAP,
    conv(),
    DepthwiseConvolution(3, depth_multiplier=2, padding="same"),
    BatchNormalization(),
    Activation("relu"),
    *TAIL,
)
case(
    "dw_on_1",
    (16, 16, 1),
    DepthwiseConvolution(3, depth_multiplier=4, padding="same"),
    BatchNormalization(),
    Activation("relu"),
    *TAIL,
)
case("channelscale", MAP, conv(), ChannelScale(), *TAIL)
case("channelscale_relu", MAP, conv(), Activation("relu"), ChannelScale(), *TAIL)
case(
    "conv1d",
    (32, 4),
    Convolution(8, 3, padding="same"),
    BatchNormalization(),
    Activation("relu"),
    MaxPooling(),
    Convolution(8, 3),
    Activation("relu"),
    *TAIL,
)
case("conv1d_causal", (32, 4), Convolution(8, 3, padding="causal"), Activation("relu"), *TAIL)
case("conv1d_stride", (32, 4), Convolution(8, 3, 2, padding="same"), Activation("relu"), *TAIL)
case(
    "dw1d",
    (32, 4),
    Convolution(8, 3, padding="same"),
    DepthwiseConvolution(3, padding="same"),
    Activation("relu"),
    *TAIL,
)
for pad in ("same", "valid"):
    case(
        f"convt_{pad}",
        MAP,
        conv(),
        Activation("relu"),
        TransposedConvolution(6, 3, 2, padding=pad),
        BatchNormalization(),
        Activation("relu"),
        conv(4, 1),
    )
case(
    "convt_nobias",
    MAP,
    conv(),
    Activation("relu"),
    TransposedConvolution(6, 2, 2, padding="same", use_bias=False),
    conv(4, 1),
)
case("convt_noact", MAP, conv(), Activation("relu"), TransposedConvolution(6, 2, 2, padding="same"), conv(4, 1))
case("convt1d", (16, 4), Convolution(8, 3), TransposedConvolution(6, 2, 2), Activation("relu"), *TAIL)
# pools
case("pool_same3", MAP, conv(), MaxPooling(3, 2, "same"), AveragePooling(3, 1, "same"), *TAIL)
case("pool_relu", MAP, conv(), MaxPooling(), Activation("relu"), AveragePooling(), Activation("relu6"), *TAIL)
case(
    "pool1d",
    (32, 4),
    Convolution(8, 3),
    Activation("relu"),
    AveragePooling(2),
    MaxPooling(2),
    GlobalMaxPooling(),
    Dense(3),
)
case("gmp", MAP, conv(), GlobalMaxPooling(), Dense(3))
case("gap_keep", MAP, conv(), GlobalAveragePooling(True), conv(4, 1), Activation("sigmoid"))
case("gap_keep_flat", MAP, conv(), GlobalAveragePooling(True), Flatten(), Dense(3))
case("gmp_keep", MAP, conv(), GlobalMaxPooling(True), Flatten(), Dense(3))
case("gap_reshape", MAP, conv(), GlobalAveragePooling(), Reshape((1, 1, 8)), conv(4, 1), Activation("sigmoid"))
case("gmp_reshape", MAP, conv(), GlobalMaxPooling(), Reshape((1, 1, 8)), conv(4, 1), Activation("sigmoid"))
case("gap_end", MAP, conv(), GlobalAveragePooling())
case("avg_all_flat", MAP, conv(), AveragePooling(16), Flatten(), Dense(4), Activation("softmax"))
# norm
case("bn_first", MAP, BatchNormalization(), conv(), Activation("relu"), *TAIL)
case("bn_after_pool", MAP, conv(), MaxPooling(), BatchNormalization(), Activation("relu"), conv(), *TAIL)
case("bn_after_relu", MAP, conv(), Activation("relu"), BatchNormalization(), conv(padding="valid"), *TAIL)
case("bn_after_relu_same", MAP, conv(), Activation("relu"), BatchNormalization(), conv(), *TAIL)
case("bn_after_gap", MAP, conv(), Activation("relu"), GlobalAveragePooling(), BatchNormalization(), Dense(3))
case("bn_after_flat", MAP, conv(), Activation("relu"), Flatten(), BatchNormalization(), Activation("relu"), Dense(3))
case("bn_noscale", MAP, conv(), MaxPooling(), BatchNormalization(scale=False), conv(), *TAIL)
case("bn_nocenter", MAP, conv(), MaxPooling(), BatchNormalization(center=False), conv(), *TAIL)
case("bn_dense", MAP, conv(), Flatten(), Dense(8), BatchNormalization(), Activation("relu"), Dense(3))
case("bn_dense_act_bn", MAP, conv(), Flatten(), Dense(8), Activation("relu"), BatchNormalization(), Dense(3))
case("bn_end", MAP, conv(), MaxPooling(), BatchNormalization())
case("ln_map", MAP, conv(), LayerNormalization(), conv(), *TAIL)
case("ln_vec", MAP, conv(), GlobalAveragePooling(), LayerNormalization(), Dense(3))
case("ln_plain", MAP, conv(), MaxPooling(), LayerNormalization(center=False, scale=False), conv(), *TAIL)
case("gn_map", MAP, conv(), GroupNormalization(2), conv(), *TAIL)
case("in_map", MAP, conv(), GroupNormalization(8), Activation("relu"), conv(), *TAIL)
# activations
for name in typing.get_args(ActivationName):
    case(f"act_{name}", MAP, conv(), Activation(name), conv(4), *TAIL)
    case(f"actend_{name}", MAP, conv(), Flatten(), Dense(4), Activation(name))
case("act_relu_input", MAP, Activation("relu"), conv(), *TAIL)
case("act_sigmoid_map", MAP, conv(1, 1), Activation("sigmoid"))
case("act_softmax_map", MAP, conv(4, 1), Activation("softmax"))
case("act_relu_relu", MAP, conv(), Activation("relu"), Activation("relu"), conv(), *TAIL)
case("act_relu_relu6", MAP, conv(), Activation("relu"), Activation("relu6"), conv(), *TAIL)
case("act_relu6_relu", MAP, conv(), Activation("relu6"), Activation("relu"), conv(), *TAIL)
# dense
case("dense_map", MAP, conv(), Dense(6), Activation("relu"), *TAIL)
case("dense_map_nobias", MAP, conv(), Activation("relu"), Dense(6, use_bias=False), *TAIL)
case("dense_1d", (16, 4), Dense(6), Activation("relu"), Dense(3), Flatten(), Dense(2))
case("dense_nobias", (32,), Dense(8, use_bias=False), Activation("relu"), Dense(4))
case("dense_nobias_bn", (32,), Dense(8, use_bias=False), BatchNormalization(), Activation("relu"), Dense(4))
case("dense_linear2", (32,), Dense(8), Dense(4))
case("dense_one", (32,), Dense(8), Activation("relu"), Dense(1), Activation("sigmoid"))
case("dense_big", (2000,), Dense(300), Activation("relu"), Dense(1000), Activation("softmax"))
# rearrange
case("flat_dropout", MAP, conv(), Flatten(), Dropout(0.5), Dense(4))
case("flat_end", MAP, conv(), Flatten())
case("flat_input", MAP, Flatten(), Dense(4))
case("flat_vector", (8,), Dense(4), Flatten(), Dense(4))
case("reshape_map", MAP, conv(), Reshape((32, 8, 8)), conv(), *TAIL)
case("reshape_reshape", MAP, conv(), Reshape((32, 8, 8)), Reshape((8, 32, 8)), conv(), *TAIL)
case("reshape_same", MAP, conv(), Reshape((16, 16, 8)), conv(), *TAIL)
case("reshape_relu", MAP, conv(), Reshape((32, 8, 8)), Activation("relu"), conv(), *TAIL)
case("relu_reshape_flat", MAP, conv(), Reshape((32, 8, 8)), Flatten(), Dense(3))
case("flat_1x1", MAP, conv(), MaxPooling(16), Flatten(), Dense(3))
case("flat_1x1_end", MAP, conv(), MaxPooling(16), Flatten(), Activation("softmax"))
case("flat_4x1", MAP, conv(), MaxPooling((4, 16)), Flatten(), Dense(3))
# padding
case("pad_same", MAP, ZeroPadding(1), conv(padding="valid"), Activation("relu"), *TAIL)
case(
    "pad_s2",
    MAP,
    conv(),
    ZeroPadding(((0, 1), (0, 1))),
    conv(8, 3, strides=2, padding="valid"),
    Activation("relu"),
    *TAIL,
)
case("pad_s2_11", MAP, conv(), ZeroPadding(1), conv(8, 3, strides=2, padding="valid"), Activation("relu"), *TAIL)
case("pad_pool", MAP, conv(), Activation("relu"), ZeroPadding(1), MaxPooling(3, 2), *TAIL)
case("pad_dw", MAP, conv(), CenteredPadding(3), DepthwiseConvolution(3, 2), Activation("relu"), *TAIL)
case("pad_relu_conv", MAP, conv(), ZeroPadding(1), Activation("relu"), conv(padding="valid"), *TAIL)
case("pad_pad", MAP, conv(), ZeroPadding(1), ZeroPadding(1), conv(8, 5, padding="valid"), *TAIL)
case("pad_end", MAP, conv(), ZeroPadding(2))
case("pad_1d", (16, 4), Convolution(8, 3), ZeroPadding(1), Convolution(8, 3), *TAIL)
case("pad_zero", MAP, conv(), ZeroPadding(0), conv(), *TAIL)
case("crop", MAP, conv(), Cropping(2), conv(), *TAIL)
case("crop_uneven", MAP, conv(), Cropping(((1, 2), (0, 3))), conv(), *TAIL)
case("crop_zero", MAP, conv(), Cropping(0), conv(), *TAIL)
case("crop_1d", (16, 4), Convolution(8, 3), Cropping(1), Convolution(8, 3), *TAIL)
# resize
case("up_nearest", MAP, conv(), Activation("relu"), Upsampling(2), conv(), *TAIL)
case("up_bilinear", MAP, conv(), Activation("relu"), Upsampling(2, "bilinear"), conv(), *TAIL)
case("up_one", MAP, conv(), Activation("relu"), Upsampling(1, "bilinear"), conv(), *TAIL)
case("up_nearest1", MAP, conv(), Activation("relu"), Upsampling(1), conv(), *TAIL)
case("up_1d", (16, 4), Convolution(8, 3), Upsampling(2), Convolution(8, 3), *TAIL)
case("resize_near", MAP, conv(), Activation("relu"), Resizing((20, 24), "nearest"), conv(), *TAIL)
case("resize_bil", MAP, conv(), Activation("relu"), Resizing((9, 7)), conv(), *TAIL)
case("resize_same", MAP, conv(), Activation("relu"), Resizing((16, 16)), conv(), *TAIL)
case("resize_input", MAP, Rescaling(1 / 255), Resizing((8, 8)), conv(), *TAIL)
case(
    "dropouts",
    MAP,
    conv(),
    Dropout(0.3, spatial=True),
    Activation("relu"),
    StochasticDepth(0.2),
    conv(),
    Dropout(0.1),
    *TAIL,
)
# merges
case2(
    "add2",
    MAP,
    lambda g, t: seq(
        g, g.add(Add(), seq(g, t, conv(), Activation("relu")), seq(g, t, conv(8, 1))), Activation("relu"), *TAIL
    ),
)
case2(
    "add3",
    MAP,
    lambda g, t: seq(
        g,
        g.add(Add(), seq(g, t, conv(), Activation("relu")), seq(g, t, conv(8, 1)), seq(g, t, conv(8, 5))),
        Activation("relu"),
        *TAIL,
    ),
)
case2(
    "mul3",
    MAP,
    lambda g, t: seq(
        g,
        g.add(Multiply(), seq(g, t, conv(), Activation("relu")), seq(g, t, conv(8, 1)), seq(g, t, conv(8, 5))),
        Activation("relu"),
        *TAIL,
    ),
)
case2(
    "add_broadcast",
    MAP,
    lambda g, t: (
        lambda x: seq(g, g.add(Add(), x, seq(g, x, GlobalAveragePooling(True), conv(8, 1))), Activation("relu6"), *TAIL)
    )(seq(g, t, conv(), Activation("relu"))),
)
case2(
    "se",
    MAP,
    lambda g, t: (
        lambda x: seq(
            g,
            g.add(
                Multiply(),
                x,
                seq(
                    g, x, GlobalAveragePooling(True), conv(4, 1), Activation("relu"), conv(8, 1), Activation("sigmoid")
                ),
            ),
            *TAIL,
        )
    )(seq(g, t, conv(), Activation("relu"))),
)
case2(
    "se_hs",
    MAP,
    lambda g, t: (
        lambda x: seq(
            g,
            g.add(
                Multiply(),
                x,
                seq(
                    g,
                    x,
                    GlobalAveragePooling(True),
                    conv(4, 1),
                    Activation("relu"),
                    conv(8, 1),
                    Activation("hard_sigmoid"),
                ),
            ),
            Activation("hard_swish"),
            *TAIL,
        )
    )(seq(g, t, conv(), Activation("hard_swish"))),
)
case2(
    "se_dense",
    MAP,
    lambda g, t: (
        lambda x: seq(
            g,
            g.add(
                Multiply(),
                x,
                seq(
                    g,
                    x,
                    GlobalAveragePooling(),
                    Dense(4),
                    Activation("relu"),
                    Dense(8),
                    Activation("sigmoid"),
                    Reshape((1, 1, 8)),
                ),
            ),
            *TAIL,
        )
    )(seq(g, t, conv(), Activation("relu"))),
)
case2(
    "concat",
    MAP,
    lambda g, t: seq(
        g,
        g.add(Concatenate(), seq(g, t, conv(), Activation("relu")), seq(g, t, conv(8, 1))),
        Activation("relu"),
        conv(),
        *TAIL,
    ),
)
case2(
    "concat_bn",
    MAP,
    lambda g, t: seq(
        g,
        g.add(Concatenate(), seq(g, t, conv(), Activation("relu")), seq(g, t, MaxPooling(3, 1, "same"))),
        BatchNormalization(),
        Activation("relu"),
        conv(),
        *TAIL,
    ),
)
case2(
    "concat_vec",
    MAP,
    lambda g, t: seq(
        g,
        g.add(Concatenate(), seq(g, t, conv(), GlobalAveragePooling()), seq(g, t, conv(), GlobalMaxPooling())),
        Dense(3),
    ),
)
case2("add_self", MAP, lambda g, t: (lambda x: seq(g, g.add(Add(), x, x), conv(), *TAIL))(seq(g, t, conv())))
case2("add_input", MAP, lambda g, t: seq(g, g.add(Add(), t, seq(g, t, conv(4))), Activation("relu"), *TAIL))
case2("add_input_first", MAP, lambda g, t: seq(g, g.add(Add(), seq(g, t, conv(4)), t), Activation("relu"), *TAIL))
case2("concat_input", MAP, lambda g, t: seq(g, g.add(Concatenate(), t, seq(g, t, conv(4))), conv(), *TAIL))
case2(
    "add_bn",
    MAP,
    lambda g, t: seq(
        g,
        g.add(Add(), seq(g, t, conv()), seq(g, t, conv(8, 1))),
        BatchNormalization(),
        Activation("relu"),
        conv(),
        *TAIL,
    ),
)
case2(
    "mul_relu",
    MAP,
    lambda g, t: seq(g, g.add(Multiply(), seq(g, t, conv()), seq(g, t, conv(8, 1))), Activation("relu"), *TAIL),
)
case2("concat_same", MAP, lambda g, t: (lambda x: seq(g, g.add(Concatenate(), x, x), conv(), *TAIL))(seq(g, t, conv())))
case2(
    "preact",
    MAP,
    lambda g, t: (
        lambda x: seq(
            g,
            g.add(
                Add(),
                x,
                seq(
                    g,
                    x,
                    BatchNormalization(),
                    Activation("relu"),
                    conv(8, 3, use_bias=False),
                    BatchNormalization(),
                    Activation("relu"),
                    conv(),
                ),
            ),
            BatchNormalization(),
            Activation("relu"),
            *TAIL,
        )
    )(seq(g, t, conv())),
)
case2(
    "shared_pad",
    MAP,
    lambda g, t: (
        lambda x: seq(
            g, g.add(Concatenate(), seq(g, x, conv(padding="valid")), seq(g, x, DepthwiseConvolution(3))), *TAIL
        )
    )(seq(g, t, conv(), ZeroPadding(1))),
)
case2(
    "shared_pad_no",
    MAP,
    lambda g, t: (
        lambda x: seq(g, g.add(Concatenate(), seq(g, x, conv(padding="valid")), seq(g, x, MaxPooling(3, 1))), *TAIL)
    )(seq(g, t, conv(), ZeroPadding(1))),
)
case2(
    "same_relu",
    MAP,
    lambda g, t: (
        lambda x: seq(
            g,
            g.add(Concatenate(), seq(g, x, Activation("relu"), conv(8, 1)), seq(g, x, Activation("relu"), conv(4))),
            *TAIL,
        )
    )(seq(g, t, conv(), MaxPooling())),
)
case2(
    "relu_two_readers",
    MAP,
    lambda g, t: (
        lambda x: seq(g, g.add(Concatenate(), seq(g, x, Activation("relu"), conv(8, 1)), seq(g, x, conv(4))), *TAIL)
    )(seq(g, t, conv())),
)
case2(
    "bn_two_readers",
    MAP,
    lambda g, t: (
        lambda x: seq(
            g,
            g.add(Concatenate(), seq(g, x, BatchNormalization(), Activation("relu"), conv(8, 1)), seq(g, x, conv(4))),
            *TAIL,
        )
    )(seq(g, t, conv())),
)
case("x_rescale_dw0", MAP, Rescaling(1 / 127.5), DepthwiseConvolution(3, padding="same"), *TAIL)
case("x_rescale_dwv", MAP, Rescaling(1 / 127.5, -1.0), DepthwiseConvolution(3, padding="valid"), *TAIL)
case2(
    "x_rescale_two",
    MAP,
    lambda g, t: (lambda x: seq(g, g.add(Concatenate(), seq(g, x, conv()), seq(g, x, conv(4, 1))), *TAIL))(
        seq(g, t, Rescaling(1 / 127.5))
    ),
)
case2(
    "x_rescale_two_add",
    MAP,
    lambda g, t: (
        lambda x: seq(
            g, g.add(Concatenate(), seq(g, x, conv(padding="valid")), seq(g, x, conv(4, 3, padding="valid"))), *TAIL
        )
    )(seq(g, t, Rescaling(1 / 127.5, -1.0))),
)
case("x_bn_c1", (16, 16, 1), BatchNormalization(), conv(), Activation("relu"), *TAIL)
case("x_bn_c1v", (16, 16, 1), BatchNormalization(), conv(padding="valid"), Activation("relu"), *TAIL)
case("x_norm_c1v", (16, 16, 1), Normalization(), conv(padding="valid"), Activation("relu"), *TAIL)
case("x_flat_bn", MAP, conv(), Activation("relu"), Flatten(), BatchNormalization(), Dense(3))
case("x_conv_flat_bn", MAP, conv(), Flatten(), BatchNormalization(), Dense(3))
case("x_dense_bn_dense", (32,), Dense(8), BatchNormalization(), Dense(4))
case("x_dense_drop_dense", (32,), Dense(8), Dropout(0.2), Dense(4))
case("x_reshape_bn", MAP, conv(), Reshape((32, 8, 8)), BatchNormalization(), Activation("relu"), conv(), *TAIL)
case("x_reshape_bn2", MAP, conv(), Reshape((16, 8, 16)), BatchNormalization(), Activation("relu"), conv(), *TAIL)
case("x_flat_relu", MAP, conv(), Flatten(), Activation("relu"), Dense(3))
case("x_flat_tanh", MAP, conv(), Flatten(), Activation("tanh"), Dense(3))
case("x_flat_sigmoid", MAP, conv(), Flatten(), Activation("sigmoid"), Dense(3))
case("x_flat_leaky", MAP, conv(), Flatten(), Activation("leaky_relu"), Dense(3))
case("x_hard_sigmoid_gap", MAP, conv(), Activation("hard_sigmoid"), GlobalAveragePooling(), Dense(3))
case("x_hard_sigmoid_pool", MAP, conv(), MaxPooling(), Activation("hard_sigmoid"), MaxPooling(), conv(4), *TAIL)
case("x_elu_elu", MAP, conv(), Activation("elu"), Activation("elu"), conv(4), *TAIL)
case("x_elu_gap", MAP, conv(), Activation("elu"), *TAIL)
case("x_silu_bn", MAP, conv(), Activation("silu"), BatchNormalization(), Activation("relu"), conv(4), *TAIL)
case("x_conv1f_valid", MAP, conv(1), conv(4, 3, padding="valid"), *TAIL)
case("x_convt_relu6", MAP, conv(), TransposedConvolution(6, 2, 2, padding="same"), Activation("relu6"), conv(4, 1))
case(
    "x_pool_flat_dense_relu",
    MAP,
    conv(),
    MaxPooling(2),
    Flatten(),
    Dense(8),
    Activation("relu6"),
    Dense(4),
    Activation("sigmoid"),
)
case(
    "x_concat_end",
    MAP,
    conv(),
    Activation("relu"),
    MaxPooling(3, 2, "same"),
    AveragePooling(3, 2, "same"),
    Flatten(),
    Dense(2),
    Activation("softmax"),
)
case2(
    "x_concat_relu_both",
    MAP,
    lambda g, t: seq(
        g,
        g.add(Concatenate(), seq(g, t, conv(), Activation("relu")), seq(g, t, conv(8, 1), Activation("relu"))),
        conv(),
        *TAIL,
    ),
)
case2(
    "x_add_dense",
    (16,),
    lambda g, t: seq(
        g, g.add(Add(), seq(g, t, Dense(8), Activation("relu")), seq(g, t, Dense(8))), Activation("relu"), Dense(3)
    ),
)
case2(
    "x_convnext",
    MAP,
    lambda g, t: (
        lambda x: seq(
            g,
            g.add(
                Add(),
                x,
                seq(
                    g,
                    x,
                    DepthwiseConvolution(7, padding="same"),
                    LayerNormalization(epsilon=1e-6),
                    Dense(16),
                    Activation("gelu"),
                    Dense(8),
                    ChannelScale(),
                ),
            ),
            *TAIL,
        )
    )(seq(g, t, conv())),
)
SOLO = dict(
    gap=GlobalAveragePooling(),
    gmp=GlobalMaxPooling(),
    gapk=GlobalAveragePooling(True),
    conv=conv(3),
    dw=DepthwiseConvolution(3),
    tc=TransposedConvolution(3, 2, 2),
    tcs=TransposedConvolution(3, 3, 2, padding="same"),
    mp=MaxPooling(),
    ap=AveragePooling(),
    bn=BatchNormalization(),
    ln=LayerNormalization(),
    gn=GroupNormalization(2),
    flat=Flatten(),
    dense=Dense(3),
    pad=ZeroPadding(1),
    crop=Cropping(1),
    up=Upsampling(2),
    upb=Upsampling(2, "bilinear"),
    resc=Rescaling(2.0, 1.0),
    norm=Normalization(),
    sm=Activation("softmax"),
    sg=Activation("sigmoid"),
    th=Activation("tanh"),
    re=Activation("relu"),
    r6=Activation("relu6"),
    lr=Activation("leaky_relu"),
    el=Activation("elu"),
    hs=Activation("hard_swish"),
    hsg=Activation("hard_sigmoid"),
    si=Activation("silu"),
    ss=Activation("softsign"),
    gr=conv(4, groups=2),
    dil=conv(3, dilation_rate=2),
    dwm=DepthwiseConvolution(3, depth_multiplier=2),
)
for name, node in SOLO.items():
    case(f"solo_{name}", (4, 4, 8), node)
case("solo_gap1d", (16, 8), GlobalAveragePooling())
case("solo_dense_v", (16,), Dense(5))
case("solo_sm_v", (16,), Activation("softmax"))
case("y_bn_dense_nobias", (16,), Activation("relu"), BatchNormalization(), Dense(4, use_bias=False), Activation("relu"))
case("y_dense_dense_nobias", (16,), Dense(8), Dense(4, use_bias=False), Activation("relu"))
case("y_dense_bn_dense_nobias", (16,), Dense(8), BatchNormalization(), Dense(4, use_bias=False), Activation("relu"))
case("y_dense_nobias_bn_dense", (16,), Dense(8, use_bias=False), BatchNormalization(), Dense(4), Activation("relu"))
case("y_map_dense", MAP, conv(), Dense(6), Dense(5), Flatten(), Dense(3))
case("y_elu_end_relu", MAP, conv(), Activation("elu"), Activation("relu"), conv(), *TAIL)
case("y_up1", MAP, conv(), Upsampling(1, "bilinear"), Reshape((16, 16, 8, 1)), Flatten(), Dense(3))


@pytest.mark.parametrize("quantization", ["int8", "none"])
@pytest.mark.parametrize("name", CASES)
def test_case_is_predicted(name, quantization, hold_against_prediction):
    micro = not any(word in name for word in NOT_IN_MICRO)
    hold_against_prediction(CASES[name], quantization, micro=micro, size=0.2)


@pytest.mark.parametrize("family", FAMILIES)
def test_family_is_predicted(family, tmp_path, hold_against_prediction):
    file = tmp_path / "r.yaml"
    file.write_text(RECIPE.format(type=family, options=FAMILIES[family]))
    (graph,) = compile_loaded(load_recipe(file)).graphs.values()
    affine = input_affine(graph)
    carried = affine is not None and not any(isinstance(numbers, tuple) for numbers in affine)
    hold_against_prediction(graph, carried=carried, micro=family not in NOT_IN_MICRO, size=0.05)


def test_recipe_with_a_backbone_is_predicted(hold_against_prediction):
    loaded = load_recipe("hymenoptera_nicla_vision")
    graph = loaded.recipe.task.deployed(compile_loaded(loaded).graphs)
    hold_against_prediction(graph, carried=True, size=0.05)
