"""Schedules: how the learning rate changes while training. Keras's own, with its names and defaults. One file each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from cnnpipe.registry import Component, Room
from cnnpipe.spec import Spec

if TYPE_CHECKING:
    import keras

Steps = Annotated[int, Field(ge=1)]
"""A number of updates of the weights: batches, or fewer with `gradient_accumulation_steps`."""


class Schedule(Spec):
    """Base of all schedules. The rate where it begins is the optimizer's `learning_rate`; steps count in each phase."""

    type: str

    def build(self, learning_rate: float, steps: int) -> keras.optimizers.schedules.LearningRateSchedule | float:
        """Return the Keras schedule of a phase.

        Args:
            learning_rate: The optimizer's.
            steps: Updates in the whole phase.
        """
        import keras

        arguments = {"initial_learning_rate": learning_rate, **self.arguments(learning_rate, steps)}
        return getattr(keras.optimizers.schedules, self.keras_class)(**arguments)

    def arguments(self, learning_rate: float, steps: int) -> dict[str, Any]:
        """Return the arguments of the Keras class beside the first; `decay_steps` is the whole phase when left out."""
        given = self.model_dump(exclude={"type"})
        return {**given, "decay_steps": steps} if given.get("decay_steps", 0) is None else given

    @property
    def keras_class(self) -> str:
        """Name of the class in `keras.optimizers.schedules`; that of the spec."""
        return type(self).__name__

    def contradictions(self, learning_rate: float) -> Iterator[str]:
        """Return what cannot be beside this learning rate of the optimizer."""
        yield from ()

    def warnings(self, steps: int) -> Iterator[str]:
        """Return what is surely unwanted in a phase of so many updates."""
        yield from ()

    def after_epoch(self, rate: float, value: float, higher_is_better: bool, state: dict[str, Any]) -> float:
        """Return the learning rate of the next epoch; a schedule that looks at the steps leaves it as it is.

        Args:
            rate: The rate so far.
            value: The headline metric of the epoch on the validation split.
            higher_is_better: The metric's direction.
            state: What was kept of earlier epochs of the phase, empty before the first; changed in place, plain values.
        """
        return rate


ROOM = Room("schedules", Schedule)
AnySchedule = Annotated[Schedule, Component("schedules")]
