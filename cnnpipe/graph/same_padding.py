"""Zeros that a convolution would add itself: two ways to write one network."""

from __future__ import annotations

from dataclasses import replace

from cnnpipe.graph.core import Graph, Node, Shape, Window
from cnnpipe.graph.nodes.convolution import Convolution, DepthwiseConvolution
from cnnpipe.graph.nodes.padding import CenteredPadding, ZeroPadding, pairs_per_axis


def with_same_padding(graph: Graph) -> Graph:
    """Return a graph of equal values, whose convolutions add zeros themselves where `same` adds the very same ones.

    All nodes stay where they are; some nodes of zeros are then read by nobody.
    """
    return replace(graph, nodes=tuple(_without_zeros(graph, node) for node in graph.nodes))


def _without_zeros(graph: Graph, node: Node) -> Node:
    if not isinstance(node.type, Convolution | DepthwiseConvolution) or node.type.padding != "valid":
        return node
    zeros = graph.nodes[node.inputs[0]]
    if not isinstance(zeros.type, ZeroPadding | CenteredPadding):
        return node
    before = graph.nodes[zeros.inputs[0]].shape
    added = pairs_per_axis(zeros.type.keras_layer(before).config["padding"], len(before) - 1, "padding")
    if tuple(added) != _same(before, node.type.window(before)):
        return node
    return replace(node, type=replace(node.type, padding="same"), inputs=zeros.inputs)


def _same(shape: Shape, window: Window) -> tuple[tuple[int, int], ...]:
    """Return the zeros (before, after) per axis that `same` adds."""
    missing = (
        max((-(-n // stride) - 1) * stride + dilation * (kernel - 1) + 1 - n, 0)
        for n, kernel, stride, dilation in zip(
            shape[:-1], window.kernel, map(int, window.strides), window.dilation, strict=True
        )
    )
    return tuple((int(total // 2), int(total - total // 2)) for total in missing)
