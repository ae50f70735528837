"""Sums over a graph."""

from __future__ import annotations

from cnnpipe.graph.core import Graph


def parameters(graph: Graph) -> int:
    """Return the number of weights, non-trainable ones (moving statistics) included."""
    return sum(graph.parameters(node) for node in graph.nodes)


def macs(graph: Graph) -> int:
    """Return the multiply-adds for one example: convolutions, dense and attention products, without biases."""
    return sum(graph.macs(node) for node in graph.nodes)
