"""Networks of the papers, written with our blocks, have the parameters and multiply-adds that are published."""

from __future__ import annotations

import math

import pytest

from cnnpipe.graph import GraphBuilder
from cnnpipe.graph.totals import macs
from cnnpipe.model import Model


def network(*blocks, shape=(224, 224, 3)):
    builder = GraphBuilder()
    tensor = Model.model_validate({"blocks": blocks}).expand(builder, builder.input("image", shape))
    return builder.build({"features": tensor})


def trainable(graph):
    weights = [w for node in graph.nodes for w in node.type.weights(*graph.input_shapes(node)).items()]
    return sum(math.prod(shape) for name, shape in weights if not name.startswith("moving_"))


def stage(repeat, first, **rest):
    """One block with strides, then `repeat` - 1 without."""
    blocks = ({**first, **rest},)
    without = {key: value for key, value in {**first, **rest}.items() if key != "strides"}
    return blocks if repeat == 1 else (*blocks, {"type": "stage", "repeat": repeat - 1, "blocks": (without,)})


CLASSES = {"type": "dense", "units": 1000, "activation": "softmax"}
RESNET_STEM = (
    {"type": "conv", "filters": 64, "kernel_size": 7, "strides": 2, "batch_normalization": True},
    {"type": "max_pooling", "pool_size": 3, "strides": 2, "padding": "same"},
)


def resnet(repeats, **values):
    width = values.pop("width", 64)
    stages = [
        stage(repeat, {"type": "residual", "filters": width * 2**number, "strides": 1 if number == 0 else 2}, **values)
        for number, repeat in enumerate(repeats)
    ]
    return network(*RESNET_STEM, *(block for blocks in stages for block in blocks), "global_average_pooling", CLASSES)


def vgg16():
    stacks = [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]
    blocks = [{"type": "conv_relu_pool", "filters": filters, "repeat": repeat} for filters, repeat in stacks]
    hidden = {"type": "dense", "units": 4096}
    return network(*blocks, "flatten", hidden, hidden, CLASSES)


def mobilenet():
    widths = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    same = {"batch_normalization": True, "activation": "relu6"}
    blocks = [{"type": "separable_conv", "filters": f, "strides": s, "between": True, **same} for f, s in widths]
    stem = {"type": "conv", "filters": 32, "strides": 2, **same}
    return network(stem, *blocks, "global_average_pooling", CLASSES)


def mobilenet_v2():
    table = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    same = {"batch_normalization": True, "activation": "relu6"}
    blocks = [
        block
        for expansion, filters, repeat, strides in table
        for block in stage(
            repeat, {"type": "inverted_residual", "filters": filters, "expansion": expansion, "strides": strides}
        )
    ]
    first = {"type": "conv", "filters": 32, "strides": 2, **same}
    last = {"type": "conv", "filters": 1280, "kernel_size": 1, **same}
    return network(first, *blocks, last, "global_average_pooling", CLASSES)


@pytest.mark.parametrize(
    ("make", "parameters", "giga_macs"),
    [
        (vgg16, 138_357_544, 15.47),
        (lambda: resnet([2, 2, 2, 2]), 11_689_512, 1.81),
        (lambda: resnet([3, 4, 6, 3]), 21_797_672, 3.66),
        (lambda: resnet([3, 4, 6, 3], bottleneck=True), 25_557_032, 4.09),
        (lambda: resnet([3, 4, 6, 3], bottleneck=True, width=128, groups=32, expansion=2), 25_028_904, 4.23),
        (mobilenet, 4_231_976, 0.57),
        (mobilenet_v2, 3_504_872, 0.30),
    ],
    ids=["VGG-16", "ResNet-18", "ResNet-34", "ResNet-50", "ResNeXt-50 32x4d", "MobileNet", "MobileNetV2"],
)
def test_published(make, parameters, giga_macs):
    graph = make()
    assert trainable(graph) == parameters
    assert round(macs(graph) / 1e9, 2) == giga_macs


def test_inception_3a():
    filters = dict(
        zip(["1x1", "3x3_reduce", "3x3", "5x5_reduce", "5x5", "pool"], [64, 96, 128, 16, 32, 32], strict=True)
    )
    block = {"type": "inception", **{f"filters_{name}": count for name, count in filters.items()}}
    graph = network(block, shape=(28, 28, 192))
    assert graph.nodes[-1].shape == (28, 28, 256)
    assert round(macs(graph) / 1e6) == 128
    branches = [graph.nodes[read].shape[-1] for read in graph.nodes[-1].inputs]
    assert branches == [filters[name] for name in ("1x1", "3x3", "5x5", "pool")]
