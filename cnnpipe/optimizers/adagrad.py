"""Adagrad (Duchi et al. 2011, https://jmlr.org/papers/v12/duchi11a.html)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cnnpipe.optimizers import Optimizer


class Adagrad(Optimizer):
    """`keras.optimizers.Adagrad`."""

    type: Literal["adagrad"] = "adagrad"
    initial_accumulator_value: float = Field(default=0.1, ge=0)
    """Where the sums of squared gradients start."""
    epsilon: float = Field(default=1e-7, gt=0)
    """Small number against division by zero."""
