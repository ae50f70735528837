"""Which layers int8 hurts: every operator beside its float twin, on the same inputs, mapped to blocks of the recipe.

An operator is hurt in two ways, and each has its number. `steps`: its error in steps of its own output, where rounding
alone costs 1 / sqrt(12) = 0.289; clearly more means that weights or an inner range are too coarse. `noise`: the share
of what a channel carries that the error makes up, on average; much of it means that a few channels with large values
have taken the steps from all others, which `steps` cannot show.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cnnpipe.bundle.convert import tensor_errors
from cnnpipe.bundle.subject import Subject
from cnnpipe.bundle.workers import Workers
from cnnpipe.errors import Place
from cnnpipe.exporters import TensorError
from cnnpipe.graph import Graph, Node
from cnnpipe.litert_file import layers_in
from cnnpipe.recipe.exports import PlannedExport

ROUNDING = 12**-0.5
"""Error of rounding alone, in steps."""
EXACT_STEPS = 1e-3
SUSPECT_STEPS = 0.7
"""From how many steps on an operator is more than rounded."""
SUSPECT_NOISE = 0.1
"""From which share of noise on an operator is suspect."""


@dataclass(frozen=True)
class Sensitivity:
    """What int8 does to one operator.

    Args:
        position: Its place in the order in which the operators run.
        error: The measured errors.
        layers: The layers that it computes, in the graph's order.
        block: The user's name for the block that it comes from; empty when unknown.
        path: Dotted recipe path of that block.
        place: Where that block stands.
    """

    position: int
    error: TensorError
    layers: tuple[str, ...]
    block: str
    path: str
    place: Place | None

    @property
    def exact(self) -> bool:
        """Whether it only passes values on, as pooling by maximum does, and so loses nothing by itself."""
        return self.error.steps < EXACT_STEPS

    @property
    def suspect(self) -> bool:
        """Whether it is hurt more than rounding explains."""
        return self.error.steps >= SUSPECT_STEPS or self.error.noise >= SUSPECT_NOISE

    def as_json(self) -> dict[str, Any]:
        """Return the plain form."""
        line = None if self.place is None else self.place.line
        return {
            "operator": self.error.operator,
            "tensor": self.error.tensor,
            "layers": list(self.layers),
            "block": self.block,
            "path": self.path,
            "line": line,
            "steps": self.error.steps,
            "noise": self.error.noise,
            "suspect": self.suspect,
        }


def sensitivities(export: PlannedExport, subject: Subject, workers: Workers) -> tuple[Sensitivity, ...]:
    """Return what int8 does to each operator, the worst first.

    Args:
        export: An int8 export.
        subject: The trained network.
        workers: Both worker processes.

    Raises:
        ProblemError: It cannot be converted, or its format cannot tell.
    """
    found = tensor_errors(export, subject, workers)
    mapped = [_mapped(position, error, subject.graph) for position, error in enumerate(found)]
    return tuple(sorted(mapped, key=_harm, reverse=True))


def kept_float(worst: Sequence[Sensitivity], number: int) -> tuple[str, ...]:
    """Return the tensors of the worst operators, to be computed in float.

    What only passes on the values of one of them is kept in float with it: else these would be rounded there.

    Args:
        worst: All operators, the worst first.
        number: How many to keep.
    """
    chosen = {one.position for one in worst[:number]}
    in_order = sorted(worst, key=lambda one: one.position)
    for one in in_order:
        if one.exact and one.position - 1 in chosen:
            chosen.add(one.position)
    return tuple(one.error.tensor for one in in_order if one.position in chosen)


def _harm(one: Sensitivity) -> float:
    """Return by how much an operator exceeds what is harmless, in the worse of the two ways."""
    return max(one.error.steps / SUSPECT_STEPS, one.error.noise / SUSPECT_NOISE)


def _mapped(position: int, error: TensorError, graph: Graph) -> Sensitivity:
    nodes = list(_nodes(error, graph))
    blamed = next((node for node in nodes if node.place is not None or node.path), nodes[0] if nodes else None)
    layers = tuple(node.name for node in nodes)
    if blamed is None:
        return Sensitivity(position, error, layers, "", "", None)
    return Sensitivity(position, error, layers, blamed.block, blamed.path, blamed.place)


def _nodes(error: TensorError, graph: Graph) -> Iterator[Node]:
    """Yield the nodes of an operator in the graph's order. The last operator is called after the model, not a layer."""
    names = layers_in(error.tensor)
    outputs: Sequence[int] = [] if names else list(graph.outputs.values())
    for position, node in enumerate(graph.nodes):
        if node.name in names or (len(outputs) == 1 and position in outputs):
            yield node
