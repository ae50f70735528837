"""How far a training is: all that a training that goes on must know beside its variables."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from cnnpipe.recipe.schema import EarlyStopping
from cnnpipe.training.pace import Pace


@dataclass
class Progress:
    """How far a training is; changed in place.

    Args:
        pace: Steps per epoch and per call, in this phase; None before the first.
        phase: Number of the phase, from 0.
        step: Steps taken, over all phases.
        epochs: Finished epochs, over all phases.
        phase_epochs: Finished epochs of this phase.
        epoch_step: Steps taken in the epoch that is not finished.
        best: Best value of the headline metric on the validation split so far.
        best_epoch: When it was reached, counted from 1; of equal epochs the last.
        phase_best: Its value at the last improvement in this phase.
        waited: Epochs of this phase without improvement.
        schedule: What the schedule keeps of earlier epochs of this phase.
        seconds: Time spent training, over all processes.
    """

    pace: Pace | None = None
    phase: int = 0
    step: int = 0
    epochs: int = 0
    phase_epochs: int = 0
    epoch_step: int = 0
    best: float | None = None
    best_epoch: int = 0
    phase_best: float | None = None
    waited: int = 0
    schedule: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    def stopped_early(self, rule: EarlyStopping | None) -> bool:
        """Return whether early stopping ended this phase."""
        return rule is not None and self.waited >= rule.patience

    def next_phase(self) -> None:
        """Begin the next phase."""
        self.phase += 1
        self.pace, self.phase_epochs, self.epoch_step = None, 0, 0
        self.phase_best, self.waited, self.schedule = None, 0, {}

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Progress:
        """Return what `as_json` made plain."""
        pace = values["pace"] and Pace(**values["pace"])
        return cls(**{**values, "pace": pace})
