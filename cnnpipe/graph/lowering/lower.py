"""From a graph to the predicted program."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import ModuleType
from typing import Literal

from cnnpipe.graph.affine import without_input_affine
from cnnpipe.graph.core import Graph, Node
from cnnpipe.graph.lowering import rewrites
from cnnpipe.graph.lowering import rules as rule_files
from cnnpipe.graph.lowering.assembly import assemble
from cnnpipe.graph.lowering.draft import Draft, NotPredicted, Value, batched, rules
from cnnpipe.graph.lowering.order import file_order
from cnnpipe.graph.nodes.input import Input
from cnnpipe.program import Program

Granularity = Literal["per_channel", "per_tensor"]
KNOWN = ("int8", "none")
"""Quantizations of which the rules were verified."""


def lower(
    graph: Graph,
    quantization: str = "int8",
    input_type: str = "int8",
    normalization_carried: bool = False,
    granularity: Granularity = "per_channel",
) -> Program:
    """Predict the LiteRT program of a network.

    Args:
        graph: The network, for inference.
        quantization: `int8`, or `none` for float32.
        input_type: Type of the input and output tensors.
        normalization_carried: Whether the input tensor's scale and zero point carry the normalization, so that the
            file computes the network without it.
        granularity: Whether int8 weights have a scale for each output channel.

    Returns:
        The program; every operator tells by `layer` the node that it computes.

    Raises:
        NotPredicted: No rule has been verified for a node, or for this quantization.
    """
    if quantization not in KNOWN:
        raise NotPredicted(graph.nodes[-1], f"the operators of {quantization}")
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise NotPredicted(graph.nodes[-1], "the order of operators with several inputs or outputs")
    draft = _draft(without_input_affine(graph) if normalization_carried else graph)
    for rewrite in _rewrites():
        rewrite(draft)
    return assemble(draft, quantization, "float32" if quantization == "none" else input_type, granularity)


def _draft(graph: Graph) -> Draft:
    draft, written = Draft(), dict[int, Value]()
    for position in file_order(graph):
        draft.node = graph.nodes[position]
        if isinstance(draft.node.type, Input):
            written[position] = draft.value(batched(draft.node.shape))
            draft.inputs.append(written[position])
        else:
            written[position] = _lowered(draft, draft.node, [written[read] for read in draft.node.inputs])
    draft.outputs = [written[position] for position in graph.outputs.values()]
    return draft


def _lowered(draft: Draft, node: Node, reads: list[Value]) -> Value:
    _load(rule_files)
    rule = rules().get(type(node.type))
    if rule is None:
        raise draft.not_predicted(f"the operators of {node.type.kind.replace('_', ' ')}")
    return rule(node.type, draft, reads)


@cache
def _load(package: ModuleType) -> dict[str, ModuleType]:
    names = sorted(info.name for info in pkgutil.iter_modules(package.__path__))
    return {name: importlib.import_module(f"{package.__name__}.{name}") for name in names}


def _rewrites() -> list[rewrites.Rewrite]:
    return [getattr(importlib.import_module(f"{rewrites.__name__}.{name}"), name) for name in rewrites.IN_ORDER]
