"""Adadelta (Zeiler 2012, https://arxiv.org/abs/1212.5701)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cnnpipe.optimizers import Optimizer


class Adadelta(Optimizer):
    """`keras.optimizers.Adadelta`."""

    type: Literal["adadelta"] = "adadelta"
    rho: float = Field(default=0.95, ge=0, lt=1)
    """Decay of the averages of squared gradients and squared steps."""
    epsilon: float = Field(default=1e-7, gt=0)
    """Small number against division by zero."""
