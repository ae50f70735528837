"""What whole and real numbers of a search space share: a range, steps, and how it is sampled."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from cnnpipe.hyperparameters import Hyperparameter, Sampling


class Numerical(Hyperparameter):
    """A number between two others, both included."""

    min_value: float
    """The smallest value."""
    max_value: float
    """The largest value."""
    step: float | None = None
    """Distance between values; with sampling `log` and `reverse_log` their ratio."""
    sampling: Sampling = "linear"
    """How values are spread: `log` gives each order of magnitude the same chance."""

    def ends(self) -> tuple[Any, ...]:
        """Return the smallest and the largest value."""
        return self.min_value, self.max_value

    def count(self) -> int | None:
        """Return how many values there are; None without steps."""
        if self.step is None:
            return None
        if self.sampling == "linear":
            return int((self.max_value - self.min_value) // self.step + 1)
        return int(math.log(self.max_value / self.min_value, self.step) + 1e-8) + 1

    def text(self) -> str:
        """Return the range in words."""
        times = "" if self.sampling == "linear" else "times "
        steps = f" in steps of {times}{self.step:g}" if self.step is not None else ""
        spread = "" if self.sampling == "linear" else f", {self.sampling}"
        return f"{self.min_value:g} to {self.max_value:g}{steps}{spread}"

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Return what is wrong between the ends, the step and the sampling."""
        if self.max_value <= self.min_value:
            yield "max_value", f"{self.max_value:g} is not above min_value {self.min_value:g}"
        elif self.sampling != "linear" and self.min_value <= 0:
            yield "min_value", f"sampling {self.sampling} needs values above 0 (received {self.min_value:g})"
        if self.step is not None and self.step <= (0 if self.sampling == "linear" else 1):
            least = "above 0" if self.sampling == "linear" else f"above 1 with sampling {self.sampling}, as a ratio"
            yield "step", f"must be {least} (received {self.step:g})"
