"""Yes or no, as KerasTuner's `Boolean`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from cnnpipe.hyperparameters import Hyperparameter


class Boolean(Hyperparameter):
    """`false` or `true`."""

    type: Literal["boolean"] = "boolean"

    def tuned(self, name: str, conditions: Sequence[Any]) -> Any:
        """Return KerasTuner's hyperparameter."""
        from keras_tuner.engine.hyperparameters import Boolean as Tuned

        return Tuned(name, conditions=list(conditions))

    def ends(self) -> tuple[bool, ...]:
        """Return both values."""
        return False, True

    def value(self, code: Any) -> bool:
        """Return the value."""
        return bool(code)

    def count(self) -> int:
        """Return 2."""
        return 2

    def text(self) -> str:
        """Return the values in words."""
        return "false or true"
