"""Ftrl: follow the regularized leader (McMahan et al. 2013, https://research.google.com/pubs/archive/41159.pdf)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from cnnpipe.optimizers import Optimizer


class Ftrl(Optimizer):
    """`keras.optimizers.Ftrl`."""

    also_called: ClassVar[tuple[str, ...]] = ("ftrl_proximal",)
    type: Literal["ftrl"] = "ftrl"
    learning_rate_power: float = Field(default=-0.5, le=0)
    """Exponent with which the learning rate falls in training; 0 keeps it."""
    initial_accumulator_value: float = Field(default=0.1, ge=0)
    """Where the sums of squared gradients start."""
    l1_regularization_strength: float = Field(default=0.0, ge=0)
    """Factor on the sum of absolute weights."""
    l2_regularization_strength: float = Field(default=0.0, ge=0)
    """Factor on the sum of squared weights."""
    l2_shrinkage_regularization_strength: float = Field(default=0.0, ge=0)
    """The same, applied to the gradient only."""
    beta: float = Field(default=0.0, ge=0)
    """The paper's beta, which lowers the first learning rates."""
