"""The order of operators that an export asks for by names, where the usual one misses a limit of the arena."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from cnnpipe.exporters import Granularity
from cnnpipe.graph import Graph, Node
from cnnpipe.graph.lowering import NotPredicted, lower
from cnnpipe.graph.ordering import best_order, branches
from cnnpipe.program import plan_arena
from cnnpipe.recipe.exports import PlannedExport, carried_normalization
from cnnpipe.recipe.limits import smallest_limits

LARGEST_EXCESS = 1.5
"""How many times the limit an arena may take for a search to be worth its seconds: orders save a third at most."""
Ports = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Lowering:
    """How an export is lowered: see `lower`."""

    quantization: str
    input_type: str
    output_type: str
    granularity: Granularity
    carried: bool

    def arena(self, graph: Graph) -> int:
        """Return the bytes of the predicted arena."""
        types = self.input_type, self.output_type
        return plan_arena(lower(graph, self.quantization, types[0], self.carried, self.granularity, types[1])).total


def ordered(export: PlannedExport, graph: Graph) -> Graph:
    """Return the graph with names that make the arena fit its limit, or as small as some hundred tries can.

    It is the same graph when it fits as it is, when its operators have but one order, and when nobody knows the arena.

    Args:
        export: What is asked for.
        graph: The network as it is converted for this export.
    """
    limit = smallest_limits(export)[0]
    if limit is None or not export.device.has_arena or not branches(graph):
        return graph
    nodes = _ordered(graph.nodes, _ports(graph.inputs), _ports(graph.outputs), _lowering(export, graph), limit)
    return Graph(nodes, graph.inputs, graph.outputs, graph.features)


def order_note(export: PlannedExport, graph: Graph) -> tuple[str, ...]:
    """Return in a sentence how many bytes of the arena the names of `ordered` save; nothing where they are usual."""
    names = ordered(export, graph)
    if names.nodes == graph.nodes:
        return ()
    arena = _lowering(export, graph).arena
    return (f"its operators run in an order that saves {arena(graph) - arena(names):,} bytes of the arena",)


def _lowering(export: PlannedExport, graph: Graph) -> Lowering:
    carried = carried_normalization(export, graph) is not None
    return Lowering(export.quantization, export.input_type, export.output_type, export.granularity, carried)


def _ports(named: Mapping[str, int]) -> Ports:
    return tuple(named.items())


@lru_cache(16)
def _ordered(
    nodes: tuple[Node, ...], inputs: Ports, outputs: Ports, lowering: Lowering, limit: int
) -> tuple[Node, ...]:
    graph = Graph(nodes, dict(inputs), dict(outputs))
    try:
        usual = lowering.arena(graph)
    except NotPredicted:
        return nodes
    if not limit < usual < limit * LARGEST_EXCESS:
        return nodes
    return best_order(graph, lowering.arena).nodes
