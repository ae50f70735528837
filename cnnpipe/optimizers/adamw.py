"""AdamW: Adam with decoupled weight decay (Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from cnnpipe.optimizers import Optimizer


class AdamW(Optimizer):
    """`keras.optimizers.AdamW`."""

    also_called: ClassVar[tuple[str, ...]] = ("adam_w",)
    type: Literal["adamw"] = "adamw"
    weight_decay: float = Field(default=0.004, ge=0)  # it may not be left out
    """Share of the weights, times the learning rate, that each step takes away."""
    beta_1: float = Field(default=0.9, ge=0, lt=1)
    """Decay of the first moment's average."""
    beta_2: float = Field(default=0.999, ge=0, lt=1)
    """Decay of the second moment's average."""
    epsilon: float = Field(default=1e-7, gt=0)
    """Small number against division by zero."""
    amsgrad: bool = False
    """Whether to use the AMSGrad variant."""
