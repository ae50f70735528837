"""Lion: the sign of a moving average (Chen et al. 2023, https://arxiv.org/abs/2302.06675)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cnnpipe.optimizers import Optimizer


class Lion(Optimizer):
    """`keras.optimizers.Lion`."""

    type: Literal["lion"] = "lion"
    beta_1: float = Field(default=0.9, ge=0, lt=1)
    """Share of the old average in the step."""
    beta_2: float = Field(default=0.99, ge=0, lt=1)
    """Share of the old average in the new one."""
