"""Auxiliary heads: further outputs in the middle of a network, which only its training has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from cnnpipe.blocks import Blocks
from cnnpipe.blocks._scaling import Scaling
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.model import Model
from cnnpipe.spec import Spec, nearest

NAME = "auxiliary"
"""Their outputs are called so, with a number from 1."""


class AuxiliaryHead(Spec):
    """A further output, which learns what the network's own output learns (Szegedy et al. 2015, section 5).

    So that layers far from the end get gradients. It is left out of everything but the training.
    """

    after: Annotated[str, Field(min_length=1)]
    """The block that it reads: its `name`, or what `cnnpipe describe` calls it."""
    loss_weight: Annotated[float, Field(gt=0)] = 0.3
    """How much its loss counts, where that of the network's own output counts 1."""
    blocks: Blocks | None = None
    """Blocks between what it reads and its output."""


def auxiliary_names(heads: Sequence[AuxiliaryHead]) -> list[str]:
    """Return the names of their outputs."""
    return [f"{NAME}_{number}" for number, _ in enumerate(heads, start=1)]


def expand_auxiliary(
    graph: GraphBuilder, heads: Sequence[AuxiliaryHead], model: Model, end: Callable[[Tensor], Tensor]
) -> dict[str, Tensor]:
    """Add the nodes of all heads, after those that every network has, and return their outputs by name.

    Args:
        graph: The network.
        heads: What to add.
        model: What the network is made of; the blocks of the heads are as much wider.
        end: Adds the output itself.

    Raises:
        ProblemError: There is no block of the name that one says; or shapes do not fit.
    """
    outputs: dict[str, Tensor] = {}
    scaling = Scaling(model.width_coefficient, 1.0)
    for number, (name, head) in enumerate(zip(auxiliary_names(heads), heads, strict=True)):
        with graph.block(("task", "auxiliary_heads", number), name):
            tensor = _read(graph, head.after)
            for position, block in enumerate(head.blocks or ()):
                with graph.block(("blocks", position), block.name):
                    tensor = block.scaled(scaling).expand(graph, tensor)
            outputs[name] = end(tensor)
    return outputs


def _read(graph: GraphBuilder, block: str) -> Tensor:
    tensor = graph.output_of(block)
    if tensor is None:
        guess = nearest(block, graph.blocks())
        hint = f"Did you mean '{guess}'?" if guess else "Give the block that it shall read a 'name'."
        with graph.block(("after",)):
            raise graph.problem(f"no block is called '{block}'", hint)
    return tensor


def for_each_output(output: str, value: Any, heads: Sequence[AuxiliaryHead]) -> dict[str, Any]:
    """Return what belongs to the network's own output, such as its loss, for the auxiliary ones too."""
    return dict.fromkeys((output, *auxiliary_names(heads)), value)


def loss_weights(output: str, heads: Sequence[AuxiliaryHead]) -> Mapping[str, float]:
    """Return how much the loss of each output counts; empty when there is one output."""
    weights = [head.loss_weight for head in heads]
    return {output: 1.0, **dict(zip(auxiliary_names(heads), weights, strict=True))} if heads else {}
