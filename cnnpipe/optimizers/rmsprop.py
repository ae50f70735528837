"""RMSprop (Tieleman and Hinton 2012, lecture 6.5 of Neural Networks for Machine Learning)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cnnpipe.optimizers import Optimizer


class RMSprop(Optimizer):
    """`keras.optimizers.RMSprop`."""

    type: Literal["rmsprop"] = "rmsprop"
    rho: float = Field(default=0.9, ge=0, lt=1)
    """Decay of the average of squared gradients."""
    momentum: float = Field(default=0.0, ge=0, lt=1)
    """Share of the last step that is taken again."""
    epsilon: float = Field(default=1e-7, gt=0)
    """Small number against division by zero."""
    centered: bool = False
    """Whether gradients are divided by their variance instead of their mean square."""
