"""An exponential fall."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from cnnpipe.schedules import Schedule, Steps


class ExponentialDecay(Schedule):
    """`keras.optimizers.schedules.ExponentialDecay`."""

    also_called: ClassVar[tuple[str, ...]] = ("exponential", "exponential_lr")
    type: Literal["exponential_decay"] = "exponential_decay"
    decay_steps: Steps | None = None
    """Updates in which the rate is multiplied by `decay_rate`; the whole phase when left out."""
    decay_rate: float = Field(gt=0)
    """Factor of the fall."""
    staircase: bool = False
    """Whether it falls in stairs, once in `decay_steps`, instead of at every step."""
