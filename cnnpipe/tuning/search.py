"""The loop of a search: a candidate from the oracle, its trial, what was measured back to the oracle."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cnnpipe.algorithms import OUTCOME

IDLE_SECONDS = 0.2

Train = Callable[[str, Mapping[str, Any]], "Outcome | None"]
"""Trains the candidate of a number, and returns what came out; None when time is up before."""


@dataclass(frozen=True)
class Outcome:
    """What a trial came to.

    Args:
        reason: Why it failed; empty when it did not.
        measured: `score`, `epochs`, `seconds`, `examples`, as far as they are known.
    """

    reason: str
    measured: Mapping[str, float]


def search(oracle: Any, train: Train, worker: str, more: Callable[[], bool], ended: Callable[[str], None]) -> None:
    """Try candidates until the oracle has no more, or time is up.

    Args:
        oracle: An oracle of KerasTuner, or its client on another host.
        train: Does a trial.
        worker: Name of this worker.
        more: Tells whether there is time for another trial.
        ended: Hears of each trial that ended.
    """
    while more():
        trial = oracle.create_trial(worker)
        if trial.status == "STOPPED":
            return
        if trial.status == "IDLE":
            time.sleep(IDLE_SECONDS)
            continue
        outcome = train(trial.trial_id, trial.hyperparameters.values)
        if outcome is None:
            return
        trial.hyperparameters.values[OUTCOME] = json.dumps({"reason": outcome.reason, **outcome.measured})
        trial.status = "FAILED" if outcome.reason else "COMPLETED"
        oracle.end_trial(trial)
        ended(trial.trial_id)
