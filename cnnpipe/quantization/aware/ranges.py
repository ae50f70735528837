"""Where the ranges of activations begin: at the smallest and largest values on the calibration examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cnnpipe.build import build_model, set_weights
from cnnpipe.graph import Graph, Node
from cnnpipe.quantization.aware.network import Rounded
from cnnpipe.quantization.aware.nodes import FakeQuantization, SharedFakeQuantization

if TYPE_CHECKING:
    import numpy as np

BATCH = 16
Bounds = Mapping[tuple[str, int], tuple[str, int]]


def calibrated(
    network: Rounded, weights: Mapping[str, list[np.ndarray]], examples: Mapping[str, np.ndarray]
) -> dict[str, list[np.ndarray]]:
    """Return the weights of a network with fake quantization.

    Args:
        network: The network.
        weights: Those of its exact form, by node.
        examples: Inputs before normalization, by tensor name.
    """
    import numpy as np

    read = _ranged_tensors(network.graph)
    smallest, largest = _extremes(network, weights, list(read.values()), examples)
    found = {name: list(arrays) for name, arrays in weights.items()}
    for node in network.graph.nodes:
        if isinstance(node.type, FakeQuantization) and not node.type.fixed:
            rows = [smallest[read[node.name, k]] for k in range(node.type.tensors)]
            tops = [largest[read[node.name, k]] for k in range(node.type.tensors)]
            found[node.name] = [np.array(rows, np.float32), np.array(tops, np.float32)]
    return found


def _ranged_tensors(graph: Graph) -> dict[tuple[str, int], str]:
    """Return for each tensor of each range (its number in it) the node that makes it."""
    found: dict[tuple[str, int], str] = {}
    for node in graph.nodes:
        if isinstance(node.type, FakeQuantization) and not node.type.fixed:
            found[node.name, 0] = _read(graph, node).name
        elif isinstance(node.type, SharedFakeQuantization):
            found[node.type.node, node.type.tensor] = _read(graph, node).name
    return found


def _read(graph: Graph, node: Node) -> Node:
    return graph.nodes[node.inputs[0]]


def _extremes(
    network: Rounded, weights: Mapping[str, list[np.ndarray]], names: list[str], examples: Mapping[str, np.ndarray]
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the smallest and largest value of the results of some nodes, without any rounding."""
    import keras
    import numpy as np
    import tensorflow as tf

    graph = network.exact.graph
    model = build_model(graph)
    set_weights(model, weights)
    called = {graph.nodes[position].name: tensor for tensor, position in graph.inputs.items()}
    tapped = keras.Model(model.inputs, [model.get_layer(called.get(name, name)).output for name in names])

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def ends(batch: Any) -> Any:
        tensors = tapped(batch, training=False)
        return tf.stack([[tf.reduce_min(tensor), tf.reduce_max(tensor)] for tensor in tensors])

    found = []
    for start in range(0, len(next(iter(examples.values()))), BATCH):
        batch = {name: tf.constant(values[start : start + BATCH], tf.float32) for name, values in examples.items()}
        found.append(ends(next(iter(batch.values())) if len(batch) == 1 else batch).numpy())
    low, high = np.min(found, axis=0)[:, 0], np.max(found, axis=0)[:, 1]
    return dict(zip(names, map(float, low), strict=True)), dict(zip(names, map(float, high), strict=True))
