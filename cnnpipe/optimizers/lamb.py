"""Lamb, for large batches (You et al. 2020, https://arxiv.org/abs/1904.00962)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from cnnpipe.optimizers import Optimizer


class Lamb(Optimizer):
    """`keras.optimizers.Lamb`."""

    also_called: ClassVar[tuple[str, ...]] = ("lars",)
    type: Literal["lamb"] = "lamb"
    beta_1: float = Field(default=0.9, ge=0, lt=1)
    """Decay of the first moment's average."""
    beta_2: float = Field(default=0.999, ge=0, lt=1)
    """Decay of the second moment's average."""
    epsilon: float = Field(default=1e-7, gt=0)
    """Small number against division by zero."""
