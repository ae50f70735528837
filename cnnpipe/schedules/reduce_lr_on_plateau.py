"""A lower rate when the validation split's headline metric no longer improves."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from cnnpipe.schedules import Schedule


class ReduceLROnPlateau(Schedule):
    """`keras.callbacks.ReduceLROnPlateau`, judged on the task's headline metric."""

    also_called: ClassVar[tuple[str, ...]] = ("plateau", "reduce_on_plateau", "reduce_learning_rate_on_plateau")
    type: Literal["reduce_lr_on_plateau"] = "reduce_lr_on_plateau"
    factor: float = Field(default=0.1, gt=0, lt=1)
    """Factor on the rate."""
    patience: int = Field(default=10, ge=1)
    """Epochs without improvement before it is lowered."""
    min_delta: float = Field(default=1e-4, ge=0)
    """Smallest change that counts as improvement."""
    cooldown: int = Field(default=0, ge=0)
    """Epochs after a lowering that are not counted."""
    min_lr: float = Field(default=0.0, ge=0)
    """Lowest rate."""

    def build(self, learning_rate: float, steps: int) -> float:
        """Return the first rate: the others depend on the epochs."""
        return learning_rate

    def after_epoch(self, rate: float, value: float, higher_is_better: bool, state: dict[str, Any]) -> float:
        """Return the learning rate of the next epoch."""
        cooling, waited, best = state.get("cooling", 0), state.get("waited", 0), state.get("best")
        if cooling:
            cooling, waited = cooling - 1, 0
        gain = None if best is None else (value - best if higher_is_better else best - value)
        if gain is None or gain > self.min_delta:
            best, waited = value, 0
        elif not cooling:
            waited += 1
            if waited >= self.patience and rate > self.min_lr:
                rate, cooling, waited = max(rate * self.factor, self.min_lr), self.cooldown, 0
        state.update(cooling=cooling, waited=waited, best=best)
        return rate
