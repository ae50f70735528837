"""One of several values of any kind, whole blocks and backbones too: KerasTuner's `Choice` of their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from cnnpipe.hyperparameters import Hyperparameter


class Choice(Hyperparameter):
    """One of the listed values."""

    type: Literal["choice"] = "choice"
    values: tuple[Any, ...] = Field(min_length=1)
    """What may stand there: numbers, words, or whole mappings and lists."""

    def tuned(self, name: str, conditions: Sequence[Any]) -> Any:
        """Return KerasTuner's choice among the numbers of the values: its values are only plain ones of one type."""
        from keras_tuner.engine.hyperparameters import Choice as Tuned

        return Tuned(name, list(self.ends()), conditions=list(conditions))

    def ends(self) -> tuple[int, ...]:
        """Return the numbers of all values."""
        return tuple(range(len(self.values)))

    def value(self, code: Any) -> Any:
        """Return the value of that number."""
        return self.values[code]

    def count(self) -> int:
        """Return how many values there are."""
        return len(self.values)

    def text(self) -> str:
        """Return the values in words."""
        return ", ".join(self.label(code) for code in self.ends())

    def label(self, code: Any) -> str:
        """Return a single value or short list as it is, a mapping by its name or type, where that tells it from others.

        Else the number of the value, from 0.
        """
        labels = [_label(value) for value in self.values]
        return labels[code] if labels[code] and labels.count(labels[code]) == 1 else str(code)


def _label(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("name") or value.get("type") or "")
    if isinstance(value, bool) or value is None:
        return str(value).lower().replace("none", "null")
    if isinstance(value, (tuple, list)):
        plain = all(isinstance(item, (str, int, float)) for item in value)
        return f"[{', '.join(map(str, value))}]" if plain else ""
    return str(value)
