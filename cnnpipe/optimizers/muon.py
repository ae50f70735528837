"""Muon: orthogonalized momentum for matrices, AdamW for all else (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cnnpipe.optimizers import Optimizer


class Muon(Optimizer):
    """`keras.optimizers.Muon`."""

    type: Literal["muon"] = "muon"
    weight_decay: float = Field(default=0.004, ge=0)  # it may not be left out
    """Share of the matrices, times the learning rate, that each step takes away."""
    adam_beta_1: float = Field(default=0.9, ge=0, lt=1)
    """Decay of the first moment's average, for what is no matrix."""
    adam_beta_2: float = Field(default=0.999, ge=0, lt=1)
    """Decay of the second moment's average, for what is no matrix."""
    adam_weight_decay: float = Field(default=0.004, ge=0)
    """Weight decay of what is no matrix."""
    epsilon: float = Field(default=1e-7, gt=0)
    """Small number against division by zero."""
    muon_a: float = 3.4445
    """First coefficient of the Newton-Schulz iteration."""
    muon_b: float = -4.775
    """Second coefficient of the Newton-Schulz iteration."""
    muon_c: float = 2.0315
    """Third coefficient of the Newton-Schulz iteration."""
    adam_lr_ratio: float = Field(default=1, gt=0)
    """Factor on the learning rate of what is no matrix."""
    momentum: float = Field(default=0.95, ge=0, lt=1)
    """Share of the last step that is taken again."""
    ns_steps: int = Field(default=5, ge=1)
    """Iterations of Newton-Schulz."""
    nesterov: bool = True
    """Whether the gradient is taken after the momentum's share of a step."""
    rms_rate: float = Field(default=0.2, gt=0)
    """Root mean square to which steps are scaled."""
