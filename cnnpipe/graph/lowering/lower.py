"""From a graph to the predicted program."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import ModuleType
from typing import Literal

from cnnpipe.graph.affine import without_input_affine
from cnnpipe.graph.core import Graph
from cnnpipe.graph.lowering import rewrites
from cnnpipe.graph.lowering import rules as rule_files
from cnnpipe.graph.lowering.assembly import assemble
from cnnpipe.graph.lowering.draft import Draft, NotPredicted, Value
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
    output_type: str | None = None,
) -> Program:
    """Predict the LiteRT program of a network.

    Args:
        graph: The network, for inference.
        quantization: `int8`, or `none` for float32.
        input_type: Type of the input tensor.
        normalization_carried: Whether the input tensor's scale and zero point carry the normalization, so that the
            file computes the network without it.
        granularity: Whether int8 weights have a scale for each output channel.
        output_type: Type of the output tensor; that of the input when None.

    Returns:
        The program; every operator tells by `layer` the node that it computes.

    Raises:
        NotPredicted: No rule has been verified for a node, or for this quantization.
    """
    if quantization not in KNOWN:
        raise NotPredicted(graph.nodes[-1], f"the operators of {quantization}")
    if len(graph.inputs) != 1:
        raise NotPredicted(graph.nodes[-1], "the order of operators with several inputs")
    draft = _draft(without_input_affine(graph) if normalization_carried else graph)
    for rewrite in _rewrites():
        rewrite(draft)
    ends = ("float32", "float32") if quantization == "none" else (input_type, output_type or input_type)
    return assemble(draft, quantization, ends, granularity)


def _draft(graph: Graph) -> Draft:
    _load(rule_files)
    draft, parts, written = Draft(), file_order(graph), list[Value]()
    for part in parts:
        draft.node = part.node
        written.append(part.rule(part.node.type, draft, [written[read] for read in part.reads]))
        if isinstance(part.node.type, Input):
            draft.inputs.append(written[-1])
    by_name = {part.node.name: value for part, value in zip(parts, written, strict=True)}  # the last part counts
    draft.outputs = [by_name[graph.nodes[position].name] for position in graph.outputs.values()]
    return draft


@cache
def _load(package: ModuleType) -> None:
    for info in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{info.name}")


def _rewrites() -> list[rewrites.Rewrite]:
    return [getattr(importlib.import_module(f"{rewrites.__name__}.{name}"), name) for name in rewrites.IN_ORDER]
