"""A whole number between two others, as KerasTuner's `Int`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from cnnpipe.hyperparameters._numerical import Numerical


class Int(Numerical):
    """A whole number."""

    type: Literal["int"] = "int"
    min_value: int
    """The smallest value."""
    max_value: int
    """The largest value."""
    step: int | None = Field(default=None, ge=1)
    """Distance between values, 1 when left out; with sampling `log` and `reverse_log` their ratio."""

    def tuned(self, name: str, conditions: Sequence[Any]) -> Any:
        """Return KerasTuner's hyperparameter."""
        from keras_tuner.engine.hyperparameters import Int as Tuned

        return Tuned(name, self.min_value, self.max_value, self.step, self.sampling, conditions=list(conditions))

    def value(self, code: Any) -> int:
        """Return the number."""
        return int(code)

    def count(self) -> int | None:
        """Return how many values there are; None when they are not spread evenly and have no steps."""
        if self.step is None and self.sampling == "linear":
            return self.max_value - self.min_value + 1
        return super().count()
