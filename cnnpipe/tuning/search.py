"""The loop of a worker: a trial from the chief, its training, what was measured back to the chief."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from cnnpipe.algorithms import OUTCOME
from cnnpipe.errors import ProblemError

IDLE_SECONDS = 0.2
ORDER = "tuner/order"
"""Where a trial carries its order, as JSON, beside the values that KerasTuner's messages round to 32 bits."""

Tell = Callable[[int, int, Mapping[str, float]], bool]
"""Tells how many epochs of how many are done, with the last values; returns whether the trial is still wanted."""


class ChiefLike(Protocol):
    """A chief in this process, or one that is asked over the network."""

    def create_trial(self, worker: str) -> Any:
        """Return a trial of KerasTuner; its status says whether there is one."""

    def update_trial(self, number: str, done: int, total: int, values: Mapping[str, float]) -> bool:
        """Hear how far a trial is, and return whether it is still wanted."""

    def end_trial(self, trial: Any) -> None:
        """Take what came out of a trial; with the status `INVALID` another worker shall do it."""


@dataclass(frozen=True)
class Order:
    """What a worker needs for a trial.

    Args:
        number: Which trial it is.
        codes: What the algorithm drew, exactly.
        seconds_left: Time that is left for the whole search; None when there is no limit.
        definition: The recipe with its space, as plain values.
    """

    number: str
    codes: Mapping[str, Any]
    seconds_left: float | None
    definition: Mapping[str, Any]

    def text(self) -> str:
        """Return it as JSON, without the number, which the trial has."""
        return json.dumps({"codes": self.codes, "seconds_left": self.seconds_left, "definition": self.definition})

    @classmethod
    def of(cls, trial: Any) -> Order:
        """Return the order that a trial carries."""
        return cls(trial.trial_id, **json.loads(trial.hyperparameters.values[ORDER]))


@dataclass(frozen=True)
class Outcome:
    """What a trial came to.

    Args:
        reason: Why it failed; empty when it did not.
        measured: `score`, `epochs`, `seconds`, `examples` and further objectives, as far as they are known.
        data_fingerprint: Of the data that it was trained on; None when it failed.
    """

    reason: str
    measured: Mapping[str, float]
    data_fingerprint: str | None = None

    def text(self) -> str:
        """Return it as JSON."""
        return json.dumps({"reason": self.reason, "data_fingerprint": self.data_fingerprint, **self.measured})


Train = Callable[[Order, Tell], "Outcome | None"]
"""Trains the candidate of an order, and returns what came out; None when time is up before."""


def search(chief: ChiefLike, train: Train, worker: str, stopped: Callable[[], bool]) -> int:
    """Do trials until the chief has no more; return how many were done.

    Args:
        chief: Hands out trials.
        train: Does a trial.
        worker: Name of this worker.
        stopped: Tells whether the user stopped the search; the current trial is then given back.
    """
    done = 0
    while not stopped():
        trial = chief.create_trial(worker)
        if trial.status == "STOPPED":
            break
        if trial.status == "IDLE":
            time.sleep(IDLE_SECONDS)
            continue
        try:
            outcome = train(Order.of(trial), partial(chief.update_trial, trial.trial_id))
        except BaseException:  # another worker may have what this one lacks
            trial.status = "INVALID"
            with suppress(ProblemError):
                chief.end_trial(trial)
            raise
        if outcome is None or stopped():
            trial.status = "INVALID"
        else:
            trial.status = "FAILED" if outcome.reason else "COMPLETED"
            trial.hyperparameters.values[OUTCOME] = outcome.text()
            done += 1
        chief.end_trial(trial)
    return done
