"""Where a network has its feature maps: the last tensor of each stride that carries all that is known."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cnnpipe.graph import GraphBuilder, Shape
from cnnpipe.graph.nodes.dropout import Dropout, StochasticDepth
from cnnpipe.graph.nodes.merge import Add, Concatenate
from cnnpipe.graph.nodes.normalization import LayerNormalization
from cnnpipe.graph.nodes.padding import CenteredPadding, Cropping, ZeroPadding
from cnnpipe.graph.stored import StoredNode

BELONGS_TO_NEXT = (ZeroPadding, CenteredPadding, Cropping, Dropout, StochasticDepth, LayerNormalization)
"""What prepares a map for the layer after it."""


def feature_taps(nodes: Sequence[StoredNode], shape: Shape) -> dict[str, int]:
    """Return the tensor (n is the output of the n-th node) of each feature level from stride 2 on.

    It is the last cut of its stride: a tensor after which no older one is read. Where branches are always alive
    (NASNet) it is the last sum or concatenation, else the last tensor, which as such may be one branch of a block.

    Args:
        nodes: The network.
        shape: Of its input; large enough for all strides.
    """
    builder = GraphBuilder()
    tensors = [builder.input("input", shape)]
    last_read = {position: number for number, node in enumerate(nodes, 1) for position in node.inputs}
    best: dict[str, tuple[int, int]] = {}
    oldest_read_until = 0
    for number, node in enumerate(nodes, 1):
        tensors.append(builder.add(node.type, *(tensors[position] for position in node.inputs)))
        oldest_read_until = max(oldest_read_until, last_read.get(number - 1, 0))
        stride = builder.stride(tensors[number])
        level = math.log2(stride) if stride else 0.0
        is_level = level.is_integer() and level >= 1 and len(tensors[number].shape) == len(shape)
        if not is_level or isinstance(node.type, BELONGS_TO_NEXT):
            continue
        rank = 2 if oldest_read_until <= number else 1 if isinstance(node.type, Add | Concatenate) else 0
        if rank >= best.get(f"P{level:.0f}", (-1, 0))[0]:
            best[f"P{level:.0f}"] = rank, number
    return {level: number for level, (_, number) in sorted(best.items())}
