"""A graph as a table: one row per node."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from cnnpipe.graph.core import Graph, Node
from cnnpipe.graph.memory import activation_bytes, peak_bytes
from cnnpipe.graph.nodes.convolution import Convolution, DepthwiseConvolution
from cnnpipe.graph.nodes.dense import Dense
from cnnpipe.graph.nodes.resize import TransposedConvolution
from cnnpipe.graph.receptive_field import receptive_fields
from cnnpipe.graph.totals import macs, parameters


def rows(graph: Graph) -> list[dict[str, Any]]:
    """Return one row per node, as plain values that JSON can hold.

    Returns:
        `name`, `block` (the user's name or the recipe path; empty outside of blocks), `type`, `line` (of the recipe,
        or None), `output_shape` (without the batch), `parameters`, `macs`, `receptive_field` (per spatial axis of the
        input, None once the whole input is seen), `activation_bytes`.
    """
    return [
        {
            "name": node.name,
            "block": node.block,
            "type": node.type.kind,
            "line": node.place.line if node.place else None,
            "output_shape": list(node.shape),
            "parameters": graph.parameters(node),
            "macs": graph.macs(node),
            "receptive_field": field,
            "activation_bytes": activation_bytes(node),
        }
        for node, field in zip(graph.nodes, receptive_fields(graph), strict=True)
    ]


def features(graph: Graph) -> dict[str, dict[str, Any]]:
    """Return the feature maps of the model by level.

    Returns:
        For each level `layer` (name of the node), `output_shape` and `receptive_field` as in `rows`.
    """
    fields = receptive_fields(graph)
    return {
        level: {
            "layer": graph.nodes[position].name,
            "output_shape": list(graph.nodes[position].shape),
            "receptive_field": fields[position],
        }
        for level, position in graph.features.items()
    }


def totals(graphs: Mapping[str, Graph]) -> dict[str, int]:
    """Return parameters and multiply-adds of all networks, and the most bytes alive in any of them."""
    return {
        "parameters": sum(parameters(graph) for graph in graphs.values()),
        "macs": sum(macs(graph) for graph in graphs.values()),
        "activation_bytes": max(peak_bytes(graph) for graph in graphs.values()),
    }


def dense_parameters(graph: Graph) -> list[int | None]:
    """Return per node what a fully connected layer from all its inputs to all its outputs would have in its place.

    Weights and, if the node has them, biases: n inputs and m outputs make n m + m. None for nodes that are neither
    convolution nor dense.
    """
    return [_dense(graph, node) for node in graph.nodes]


def _dense(graph: Graph, node: Node) -> int | None:
    if not isinstance(node.type, Convolution | DepthwiseConvolution | TransposedConvolution | Dense):
        return None
    (shape,) = graph.input_shapes(node)
    outputs = math.prod(node.shape)
    return math.prod(shape) * outputs + outputs * node.type.use_bias
