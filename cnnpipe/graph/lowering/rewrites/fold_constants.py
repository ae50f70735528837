"""Factors and offsets after a convolution."""

from __future__ import annotations

from cnnpipe.graph.lowering.draft import Constant, Draft

WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
"""Operators with kernel and biases."""


def fold_constants(draft: Draft) -> None:
    """Fold a factor or an offset into the weights of the step that alone it reads."""
    for step in list(draft.steps):
        if step.name in ("MUL", "ADD", "SUB") and isinstance(step.reads[-1], Constant):
            maker = draft.alone(step)
            if maker is not None and maker.name in WEIGHTED:
                draft.remove(step, maker.writes)
