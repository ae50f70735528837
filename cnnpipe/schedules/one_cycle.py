"""A linear rise to the optimizer's learning rate, then a long fall (Smith 2018, arXiv 1803.09820, part 4).

The fall is a cosine, as is usual since, in the place of the paper's two straight lines; the momentum stays as it is.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from cnnpipe.schedules import Schedule


class OneCycle(Schedule):
    """A rise and a fall over the whole phase; the optimizer's learning rate is the highest."""

    also_called: ClassVar[tuple[str, ...]] = ("one_cycle_lr", "onecycle", "super_convergence", "1cycle")
    type: Literal["one_cycle"] = "one_cycle"
    rise: float = Field(default=0.3, gt=0, lt=1)
    """Share of the phase in which the rate rises."""
    initial_factor: float = Field(default=0.04, ge=0, lt=1)
    """Rate at the beginning, as a share of the highest."""
    final_factor: float = Field(default=4e-6, ge=0, lt=1)
    """Rate at the end, as a share of the highest."""

    def arguments(self, learning_rate: float, steps: int) -> dict[str, Any]:
        """Return those of Keras's cosine with warm-up, which is this shape."""
        rising = round(self.rise * steps)
        return {
            "initial_learning_rate": self.initial_factor * learning_rate, "warmup_target": learning_rate,
            "warmup_steps": rising, "decay_steps": max(1, steps - rising), "alpha": self.final_factor,
        }  # fmt: skip

    @property
    def keras_class(self) -> str:
        """Name of the class in `keras.optimizers.schedules`."""
        return "CosineDecay"
