"""Activations that an operator computes itself."""

from __future__ import annotations

from cnnpipe.graph.lowering.draft import Draft

FUSED = ("RELU", "RELU6")
HOSTS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "MUL", "MAX_POOL_2D", "AVERAGE_POOL_2D")
"""Operators with an activation of their own."""


def fuse_activations(draft: Draft) -> None:
    """Let an operator compute the activation that alone reads it."""
    for step in list(draft.steps):
        maker = draft.alone(step) if step.name in FUSED else None
        if maker is not None and maker.name in HOSTS and "activation" not in maker.options:
            maker.options["activation"] = step.name.lower()
            draft.remove(step, maker.writes)
