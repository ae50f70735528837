"""Steps: constant rates, each for so many updates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from cnnpipe.schedules import Schedule, Steps


class PiecewiseConstantDecay(Schedule):
    """`keras.optimizers.schedules.PiecewiseConstantDecay`."""

    also_called: ClassVar[tuple[str, ...]] = ("step", "step_lr", "multi_step", "multi_step_lr", "piecewise_constant")
    type: Literal["piecewise_constant_decay"] = "piecewise_constant_decay"
    boundaries: Annotated[tuple[Steps, ...], Field(min_length=1)]
    """Updates after which each rate but the last ends, counted from the beginning of the phase."""
    values: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=2)]
    """The rates, one more than boundaries; the first is the optimizer's learning rate."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if len(self.values) != len(self.boundaries) + 1:
            raise ValueError(
                f"{len(self.boundaries)} boundaries need {len(self.boundaries) + 1} values (received "
                f"{len(self.values)} values)"
            )
        if list(self.boundaries) != sorted(set(self.boundaries)):
            raise ValueError(f"boundaries must rise (received {list(self.boundaries)})")
        return self

    def arguments(self, learning_rate: float, steps: int) -> dict[str, Any]:
        """Keras wants lists."""
        return {"boundaries": list(self.boundaries), "values": list(self.values)}

    def build(self, learning_rate: float, steps: int) -> Any:
        """Return the Keras schedule of a phase; it says its first rate itself."""
        import keras

        return keras.optimizers.schedules.PiecewiseConstantDecay(**self.arguments(learning_rate, steps))

    def contradictions(self, learning_rate: float) -> Iterator[str]:
        """Two places say the first rate."""
        if self.values[0] != learning_rate:
            yield f"values begin with {self.values[0]:g}, and the learning rate of the optimizer is {learning_rate:g}"

    def warnings(self, steps: int) -> Iterator[str]:
        """All steps should lie in the phase."""
        if self.boundaries[-1] >= steps:
            yield f"the boundary {self.boundaries[-1]:,} is not reached in a phase of {steps:,} updates"
