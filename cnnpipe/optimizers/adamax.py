"""Adamax: Adam with the infinity norm (Kingma and Ba 2015, section 7.1, https://arxiv.org/abs/1412.6980)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from cnnpipe.optimizers import Optimizer


class Adamax(Optimizer):
    """`keras.optimizers.Adamax`."""

    also_called: ClassVar[tuple[str, ...]] = ("ada_max",)
    type: Literal["adamax"] = "adamax"
    beta_1: float = Field(default=0.9, ge=0, lt=1)
    """Decay of the first moment's average."""
    beta_2: float = Field(default=0.999, ge=0, lt=1)
    """Decay of the second moment's average."""
    epsilon: float = Field(default=1e-7, gt=0)
    """Small number against division by zero."""
