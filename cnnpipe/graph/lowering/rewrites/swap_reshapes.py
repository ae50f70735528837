"""Functions of single values after a reshape."""

from __future__ import annotations

from cnnpipe.graph.lowering.draft import Draft

MOVED = ("RELU", "RELU6", "TANH", "LOGISTIC", "EXP", "NEG")
"""Operators that the converter moves before a reshape, where an operator may be that takes them in."""


def swap_reshapes(draft: Draft) -> None:
    """Compute functions of single values before the reshape that they alone read."""
    for step in draft.steps:
        maker = draft.alone(step) if step.name in MOVED else None
        if maker is not None and maker.name == "RESHAPE":
            draft.swap(maker, step)
