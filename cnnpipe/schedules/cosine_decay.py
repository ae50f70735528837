"""A fall along a cosine, with a linear warm-up before it (Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import Field

from cnnpipe.schedules import Schedule, Steps


class CosineDecay(Schedule):
    """`keras.optimizers.schedules.CosineDecay`."""

    also_called: ClassVar[tuple[str, ...]] = (
        "cosine",
        "cosine_annealing",
        "warmup_cosine",
        "cosine_with_warmup",
        "warmup",
    )
    type: Literal["cosine_decay"] = "cosine_decay"
    decay_steps: Steps | None = None
    """Updates of the fall, after the warm-up; the rest of the phase when left out."""
    alpha: float = Field(default=0.0, ge=0, le=1)
    """Smallest rate as a share of the rate where the fall begins."""
    warmup_target: float | None = Field(default=None, gt=0)
    """Rate at the end of the warm-up, which begins at the optimizer's; no warm-up when left out."""
    warmup_steps: int = Field(default=0, ge=0)
    """Updates of the warm-up."""

    def ignored_keys(self) -> dict[str, str]:
        """A warm-up needs both."""
        if self.warmup_target is None:
            return {"warmup_steps": "without warmup_target, the rate that the warm-up ends at"}
        return {} if self.warmup_steps else {"warmup_target": "without warmup_steps, the length of the warm-up"}

    def arguments(self, learning_rate: float, steps: int) -> dict[str, Any]:
        """The fall takes what the warm-up leaves."""
        given = self.model_dump(exclude={"type"})
        return {**given, "decay_steps": self.decay_steps or max(1, steps - self.warmup_steps)}

    def contradictions(self, learning_rate: float) -> Iterator[str]:
        """A warm-up goes up."""
        if self.warmup_target is not None and self.warmup_target < learning_rate:
            yield (
                f"warmup_target {self.warmup_target:g} is below the learning rate {learning_rate:g} of the optimizer, "
                "where the warm-up begins"
            )

    def warnings(self, steps: int) -> Iterator[str]:
        """Warm-up and fall should lie in the phase."""
        if self.warmup_steps >= steps:
            yield f"the warm-up of {self.warmup_steps:,} updates is longer than the phase of {steps:,}"
        elif self.warmup_steps + (self.decay_steps or 0) > steps:
            yield (
                f"warmup_steps and decay_steps are {self.warmup_steps + (self.decay_steps or 0):,} together, more than "
                f"the {steps:,} updates of the phase, which never gets to the end"
            )
