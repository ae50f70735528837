"""What does not fit is said with its arithmetic, at the recipe line of its block."""

from __future__ import annotations

import pytest

from cnnpipe.errors import Place, ProblemError
from cnnpipe.graph import GraphBuilder
from cnnpipe.graph.nodes.convolution import Convolution, DepthwiseConvolution
from cnnpipe.graph.nodes.dropout import Dropout
from cnnpipe.graph.nodes.merge import Add, Concatenate, Multiply
from cnnpipe.graph.nodes.normalization import GroupNormalization
from cnnpipe.graph.nodes.padding import Cropping, ZeroPadding
from cnnpipe.graph.nodes.pooling import GlobalMaxPooling, MaxPooling
from cnnpipe.graph.nodes.rearrange import Reshape
from cnnpipe.graph.nodes.rescaling import Rescaling
from cnnpipe.graph.nodes.resize import Resizing, TransposedConvolution, Upsampling

CASES = [
    (MaxPooling(), [(1, 1, 8)], "pools 2x2 over a 1x1 map: floor((1 - 2)/2) + 1 = 0"),
    (MaxPooling(3, 1), [(5, 2, 8)], "pools 3x3 over a 5x2 map: floor((2 - 3)/1) + 1 = 0"),
    (Convolution(4, 5), [(3, 3, 1)], "convolves 5x5 over a 3x3 map: floor((3 - 5)/1) + 1 = -1"),
    (Convolution(4, 3, dilation_rate=3), [(6, 1)], "convolves 3 over a 6 map: floor((6 - 3*(3 - 1) - 1)/1) + 1 = 0"),
    (Convolution(4, 9), [(8, 8, 1)], "convolves 9x9 over an 8x8 map: floor((8 - 9)/1) + 1 = 0"),
    (Convolution(4, 3), [(100,)], "convolves a map, received a vector of 100 values without spatial axes"),
    (Convolution(4, (3, 3)), [(9, 1)], "kernel_size [3, 3] has 2 numbers for a map in 1D"),
    (Convolution(4, groups=4), [(8, 8, 30)], "divides 30 input channels into 4 groups: 30 / 4 = 7.50"),
    (Convolution(6, groups=4), [(8, 8, 4)], "divides 6 filters into 4 groups: 6 / 4 = 1.50"),
    (Convolution(4, strides=2, dilation_rate=2), [(8, 1)], "strides [2] and dilation_rate [2] cannot both be above 1"),
    (Convolution(4, padding="causal"), [(8, 8, 1)], "padding causal is for signals in 1D, received 2D"),
    (DepthwiseConvolution(), [(8, 8, 8, 1)], "convolves depthwise a map in 1D or 2D, received 3D: 8x8x8x1"),
    (DepthwiseConvolution(padding="causal"), [(8, 1)], "padding causal is not for depthwise convolutions"),
    (TransposedConvolution(1, padding="causal"), [(8, 1)], "padding causal is not for transposed convolutions"),
    (MaxPooling(padding="causal"), [(8, 1)], "padding causal is not for pooling"),
    (GlobalMaxPooling(), [(8,)], "pools a map, received a vector of 8 values without spatial axes"),
    (Dropout(0.5, True), [(8,)], "drops whole channels of a map, received a vector of 8 values without spatial axes"),
    (Add(), [(8, 8, 4), (4, 4, 4)], "branches of 8x8x4 and 4x4x4 cannot be added: their sizes differ"),
    (Add(), [(8, 8, 4), (4,)], "branches of 8x8x4 and 4 cannot be added: they differ in the number of axes"),
    (Multiply(), [(8, 3), (8, 2)], "branches of 8x3 and 8x2 cannot be multiplied: their sizes differ"),
    (
        Concatenate(),
        [(8, 8, 4), (8, 8, 2), (7, 8, 4)],
        "branches of 8x8x4, 8x8x2 and 7x8x4 cannot be concatenated: they differ before the channels",
    ),
    (GroupNormalization(3), [(8, 8, 4)], "divides 4 channels into 3 groups: 4 / 3 = 1.33"),
    (Reshape((3, 3)), [(2, 4)], "reshapes 2x4 (8 values) into 3x3 (9 values)"),
    (Cropping(((0, 0), (2, 3))), [(9, 5, 1)], "crops a 9x5 map: 5 - 2 - 3 = 0"),
    (ZeroPadding(((1, 1),)), [(9, 5, 1)], "padding needs a pair for each axis, 2 in all (received 1)"),
    (Rescaling((1.0, 2.0)), [(9, 5, 3)], "scale has 2 numbers for 3 channels"),
    (Upsampling(2, "bilinear"), [(9, 1)], "interpolation bilinear is for maps in 2D, received 1D"),
    (Resizing((3, 3)), [(9, 1)], "resizes a map in 2D, received 1D: 9x1"),
]


@pytest.mark.parametrize(("node", "shapes", "message"), CASES, ids=[case[2] for case in CASES])
def test_message(node, shapes, message):
    place = Place("recipe.yaml", 12, 7)
    builder = GraphBuilder(lambda path: place if path == ("model", "blocks", 5) else None)
    tensors = [builder.input(f"image{number}", shape) for number, shape in enumerate(shapes)]
    with pytest.raises(ProblemError) as raised, builder.block(("model", "blocks", 5)):
        builder.add(node, *tensors)
    (problem,) = raised.value.problems
    assert problem.message == message
    assert (problem.place, problem.path) == (place, "model.blocks.5")
