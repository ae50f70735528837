"""Falls along a cosine, again and again (Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from cnnpipe.schedules import Schedule, Steps


class CosineDecayRestarts(Schedule):
    """`keras.optimizers.schedules.CosineDecayRestarts`."""

    also_called: ClassVar[tuple[str, ...]] = ("cosine_annealing_warm_restarts", "sgdr")
    type: Literal["cosine_decay_restarts"] = "cosine_decay_restarts"
    first_decay_steps: Steps
    """Updates of the first fall."""
    t_mul: float = Field(default=2.0, ge=1)
    """Length of each fall, in lengths of the one before."""
    m_mul: float = Field(default=1.0, gt=0, le=1)
    """Height of each fall, as a share of the one before."""
    alpha: float = Field(default=0.0, ge=0, le=1)
    """Smallest rate as a share of the first."""

    def warnings(self, steps: int) -> Iterator[str]:
        """There should be a restart."""
        if self.first_decay_steps >= steps:
            yield f"first_decay_steps {self.first_decay_steps:,} leave no restart in a phase of {steps:,} updates"
