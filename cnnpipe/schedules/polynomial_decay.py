"""A fall along a power; with power 1 a straight line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from cnnpipe.schedules import Schedule, Steps


class PolynomialDecay(Schedule):
    """`keras.optimizers.schedules.PolynomialDecay`."""

    also_called: ClassVar[tuple[str, ...]] = ("polynomial", "linear", "linear_decay", "linear_lr", "poly")
    type: Literal["polynomial_decay"] = "polynomial_decay"
    decay_steps: Steps | None = None
    """Updates of the fall; the whole phase when left out."""
    end_learning_rate: float = Field(default=1e-4, ge=0)
    """Rate at its end."""
    power: float = Field(default=1.0, gt=0)
    """Exponent."""
    cycle: bool = False
    """Whether it begins again, longer each time."""

    def contradictions(self, learning_rate: float) -> Iterator[str]:
        """It falls."""
        if self.end_learning_rate > learning_rate:
            yield (
                f"end_learning_rate {self.end_learning_rate:g} is above the learning rate {learning_rate:g} of the "
                "optimizer, where the fall begins"
            )

    def warnings(self, steps: int) -> Iterator[str]:
        """Its end should lie in the phase."""
        if self.decay_steps is not None and self.decay_steps > steps:
            yield f"decay_steps {self.decay_steps:,} are more than the {steps:,} updates of the phase, which never end"
