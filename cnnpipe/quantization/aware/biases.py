"""Biases rounded as the file stores them: in steps of the input's scale times that of the weights (int32).

A bias that is off by part of such a step moves every value of its channel; in a deep network the few that are then
rounded to another side are many at its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cnnpipe.graph import Graph, Node
from cnnpipe.graph.nodes.convolution import Convolution, DepthwiseConvolution
from cnnpipe.quantization.aware.nodes import FakeQuantization, FakeQuantizedWeights, SharedFakeQuantization
from cnnpipe.quantization.aware.scales import STEPS, bounds

if TYPE_CHECKING:
    import numpy as np

Arrays = Mapping[str, list["np.ndarray"]]
WEIGHT_STEPS = 127


def rounded_biases(graph: Graph, weights: Arrays) -> dict[str, list[np.ndarray]]:
    """Return the weights of a network with fake quantization, with rounded biases.

    Args:
        graph: The network.
        weights: Its weights by node.
    """
    import numpy as np

    found = {name: list(arrays) for name, arrays in weights.items()}
    for node in graph.nodes:
        if not isinstance(node.type, FakeQuantizedWeights) or len(found[node.name]) < 2:
            continue
        kernel, bias = (np.asarray(array, np.float64) for array in found[node.name])
        step = _input_scale(graph, node, weights) * _largest(node.type, kernel, bias) / WEIGHT_STEPS
        found[node.name] = [found[node.name][0], (np.rint(bias / step) * step).astype(np.float32)]
    return found


def _largest(kind: FakeQuantizedWeights, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Return the largest weight of each output channel, as the layers take it."""
    import numpy as np

    from cnnpipe.layers.fake_quantized_weights import LEAST_LARGEST, LEAST_OF_BIAS

    per_channel = kind.granularity == "per_channel" and isinstance(kind.exact, Convolution | DepthwiseConvolution)
    least = np.maximum(LEAST_OF_BIAS * np.abs(bias), LEAST_LARGEST)
    if not per_channel:
        return np.full(len(bias), max(np.abs(kernel).max(), least.max()))
    rows = kernel.reshape(-1, len(bias))  # the two last axes of a depthwise kernel are its output channels
    return np.asarray(np.maximum(np.abs(rows).max(axis=0), least))


def _input_scale(graph: Graph, node: Node, weights: Arrays) -> float:
    """Return the scale of what a node reads."""
    node = graph.nodes[node.inputs[0]]
    while not isinstance(node.type, FakeQuantization | SharedFakeQuantization):
        node = graph.nodes[node.inputs[0]]
    if isinstance(node.type, SharedFakeQuantization):
        low, high = bounds(FakeQuantization(), weights[node.type.node])
    else:
        low, high = bounds(node.type, weights.get(node.name, []))
    return (high - low) / STEPS
