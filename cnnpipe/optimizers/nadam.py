"""Nadam: Adam with Nesterov's momentum (Dozat 2016, https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from cnnpipe.optimizers import Optimizer


class Nadam(Optimizer):
    """`keras.optimizers.Nadam`."""

    also_called: ClassVar[tuple[str, ...]] = ("radam",)
    type: Literal["nadam"] = "nadam"
    beta_1: float = Field(default=0.9, ge=0, lt=1)
    """Decay of the first moment's average."""
    beta_2: float = Field(default=0.999, ge=0, lt=1)
    """Decay of the second moment's average."""
    epsilon: float = Field(default=1e-7, gt=0)
    """Small number against division by zero."""
