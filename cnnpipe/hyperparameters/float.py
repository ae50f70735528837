"""A real number between two others, as KerasTuner's `Float`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from cnnpipe.hyperparameters._numerical import Numerical


class Float(Numerical):
    """A real number, of six digits."""

    type: Literal["float"] = "float"

    def tuned(self, name: str, conditions: Sequence[Any]) -> Any:
        """Return KerasTuner's hyperparameter."""
        from keras_tuner.engine.hyperparameters import Float as Tuned

        return Tuned(name, self.min_value, self.max_value, self.step, self.sampling, conditions=list(conditions))

    def value(self, code: Any) -> float:
        """Return the number, rounded to what a recipe can say without noise."""
        return float(f"{code:.6g}")
