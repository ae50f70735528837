"""Activations that an operator computes itself."""

from __future__ import annotations

from cnnpipe.graph.lowering.draft import Draft

FUSED = ("RELU", "RELU6")
HOSTS = (
    "CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED", "ADD", "SUB", "MUL", "DIV", "MAX_POOL_2D",
    "AVERAGE_POOL_2D",
)  # fmt: skip
"""Operators with an activation of their own."""
OPTION = "fused_activation_function"
"""LiteRT's name of the option that says which."""


def fuse_activations(draft: Draft) -> None:
    """Let an operator compute the activation that alone reads it; an activation of itself is once enough."""
    for step in draft.steps:
        maker = draft.alone(step) if step.name in FUSED else None
        if maker is None:
            continue
        computed = maker.options.get(OPTION, maker.name)
        if computed == step.name or (maker.name in HOSTS and OPTION not in maker.options):
            if maker.name in HOSTS:
                maker.options[OPTION] = step.name
            draft.remove(step, maker.writes, maker)
