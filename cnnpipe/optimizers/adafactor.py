"""Adafactor, with little memory (Shazeer and Stern 2018, https://arxiv.org/abs/1804.04235)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cnnpipe.optimizers import Optimizer


class Adafactor(Optimizer):
    """`keras.optimizers.Adafactor`."""

    type: Literal["adafactor"] = "adafactor"
    beta_2_decay: float = Field(default=-0.8, lt=0)
    """Exponent with which the average of squared gradients grows longer."""
    epsilon_1: float = Field(default=1e-30, gt=0)
    """Small number against division by zero."""
    epsilon_2: float = Field(default=1e-3, gt=0)
    """Smallest root mean square of a weight tensor to which steps are relative."""
    clip_threshold: float = Field(default=1.0, gt=0)
    """Largest root mean square of a step."""
    relative_step: bool = True
    """Whether the learning rate is bounded by one over the root of the number of updates."""
