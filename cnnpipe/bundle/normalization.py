"""The normalization of an input: stated by preprocessing, done by the network, or carried by the input tensor."""

from __future__ import annotations

from cnnpipe.bundle.subject import Subject
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.graph import Graph, GraphBuilder
from cnnpipe.graph.affine import PerChannel, input_affine
from cnnpipe.preprocessing import Preprocessing
from cnnpipe.recipe.exports import carried_normalization

__all__ = ["carried_normalization", "check_normalization", "stated_normalization"]


def stated_normalization(preprocessing: Preprocessing) -> tuple[PerChannel, PerChannel] | None:
    """Return the normalization that preprocessing asks the network for, as (scale, offset), or None for none at all."""
    return input_affine(_alone(preprocessing))


def check_normalization(subject: Subject) -> None:
    """Hold the network against the preprocessing: the first thing that it does to an input must be what that states.

    Comparing outputs does not always show it: a sure network may answer the same to inputs that are 255 times as large.

    Raises:
        ProblemError: The network does something else first.
    """
    preprocessing = subject.facts.preprocessing
    stated = _first_types(_alone(preprocessing), "input")
    for tensor, key in subject.signature.inputs.items():
        found = _first_types(subject.graph, tensor)
        if key == preprocessing.key and stated and found != stated:
            message = f"the network does not normalize its input '{tensor}' as preprocessing states: it begins with "
            raise ProblemError(Problem(f"{message}{_told(found)} instead of {_told(stated)}"))


def _alone(preprocessing: Preprocessing) -> Graph:
    graph = GraphBuilder()
    tensor = graph.input("input", preprocessing.input_shape())
    return graph.build({"output": preprocessing.input_nodes(graph, tensor)})


def _first_types(graph: Graph, tensor: str) -> list[object]:
    """Return what reads an input, each kind once."""
    source = graph.inputs[tensor]
    types: list[object] = []
    for node in graph.nodes:
        if source in node.inputs and node.type not in types:
            types.append(node.type)
    return types


def _told(types: list[object]) -> str:
    return ", ".join(map(str, types))
