"""A fall with one over the time."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from cnnpipe.schedules import Schedule, Steps


class InverseTimeDecay(Schedule):
    """`keras.optimizers.schedules.InverseTimeDecay`."""

    also_called: ClassVar[tuple[str, ...]] = ("inverse_time",)
    type: Literal["inverse_time_decay"] = "inverse_time_decay"
    decay_steps: Steps | None = None
    """Updates after which the rate is divided by 1 + `decay_rate`; the whole phase when left out."""
    decay_rate: float = Field(gt=0)
    """How much the divisor grows in `decay_steps`."""
    staircase: bool = False
    """Whether it falls in stairs, once in `decay_steps`, instead of at every step."""
