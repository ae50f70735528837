"""The chief of a search: hands out trials and takes what came out, of one worker or of many, one question at a time."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from cnnpipe.algorithms import OUTCOME
from cnnpipe.tuning.search import ORDER, Order, Outcome

SILENT_SECONDS = 60.0
"""A worker that was not heard of for so long counts as dead."""


class Chief:
    """Owns the oracle.

    Args:
        oracle: An oracle of `cnnpipe.algorithms`.
        definition: The recipe with its space, as plain values; travels with each trial.
        seconds_left: Returns the time that is left, None when there is no limit.
        check_data: Refuses outcomes from other data than the study's, by their fingerprint.
        began: Hears of the number of each trial that begins.
        ended: Hears of the number of each trial that ended.
        told: Hears how far a trial is: its number, epochs done and in all, last values.
        note: Hears of workers that are gone.
    """

    def __init__(
        self, oracle: Any, definition: Mapping[str, Any], seconds_left: Callable[[], float | None],
        check_data: Callable[[str], None], began: Callable[[str], None], ended: Callable[[str], None],
        told: Callable[[str, int, int, Mapping[str, float]], None], note: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._oracle, self._definition, self._seconds_left = oracle, definition, seconds_left
        self._check_data, self._began, self._ended, self._told, self._note = check_data, began, ended, told, note
        self._lock = threading.RLock()
        self._heard: dict[str, float] = {}
        self._nothing_left = False

    @property
    def over(self) -> bool:
        """Whether there is no more to do, and every worker knows that."""
        with self._lock:
            return (self._nothing_left or not self._has_time()) and not self._heard

    def create_trial(self, worker: str) -> Any:
        """Return the next trial for a worker, one that carries nothing but its order."""
        from keras_tuner.engine.hyperparameters import HyperParameters
        from keras_tuner.engine.trial import Trial

        with self._asked():
            if not self._has_time():
                self._heard.pop(worker, None)
                return Trial(HyperParameters(), status="STOPPED")
            trial = self._oracle.create_trial(worker)
            if trial.status == "STOPPED" and self._oracle.ongoing_trials:  # which may still be given back
                self._heard[worker] = time.monotonic()
                return Trial(HyperParameters(), status="IDLE")
            if trial.status == "STOPPED":
                self._nothing_left = True
                self._heard.pop(worker, None)
                return trial
            self._heard[worker] = time.monotonic()
            if trial.status != "RUNNING":
                return trial
            self._began(trial.trial_id)
            return self._ordered(trial)

    def update_trial(self, number: str, done: int, total: int, values: Mapping[str, float]) -> bool:
        """Hear how far a trial is, and return whether it is still wanted."""
        with self._asked():
            worker = self._worker_of(number)
            if worker is None:
                return False
            self._heard[worker] = time.monotonic()
            self._told(number, done, total, values)
            return True

    def end_trial(self, trial: Any) -> None:
        """Take what came out of a trial; nothing of one that was given up before."""
        with self._asked():
            worker = self._worker_of(trial.trial_id)
            if worker is None:
                return
            if trial.status == "INVALID":  # it may leave; if it asks again it is heard of again
                self._heard.pop(worker, None)
                self._oracle.give_back(trial.trial_id)
                return
            self._heard[worker] = time.monotonic()
            outcome = json.loads(trial.hyperparameters.values[OUTCOME])
            fingerprint = outcome.pop("data_fingerprint")
            if fingerprint is not None:
                self._check_data(fingerprint)
            trial.hyperparameters.values[OUTCOME] = json.dumps(outcome)
            self._oracle.end_trial(trial)
            self._ended(trial.trial_id)

    def give_up_silent(self) -> None:
        """End the trials of workers that were not heard of for too long as failed."""
        with self._lock:
            for worker, since in list(self._heard.items()):
                if time.monotonic() - since <= SILENT_SECONDS:
                    continue
                del self._heard[worker]
                self._note(f"{worker} was not heard of for {SILENT_SECONDS:g} seconds, and counts as dead")
                if worker in self._oracle.ongoing_trials:
                    trial = self._ordered(self._oracle.ongoing_trials[worker])
                    trial.status = "FAILED"
                    trial.hyperparameters.values[OUTCOME] = Outcome(f"{worker}, which trained it, is gone", {}).text()
                    self.end_trial(trial)
                    self._heard.pop(worker, None)

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """Answer one question; while a worker waits for its answer, others that wait too are not silent."""
        with self._lock:
            begin = time.monotonic()
            yield
            spent = time.monotonic() - begin
            self._heard = {worker: since + spent for worker, since in self._heard.items()}

    def _ordered(self, trial: Any) -> Any:
        """Return what a worker gets of a trial of the oracle."""
        from keras_tuner.engine.hyperparameters import HyperParameters
        from keras_tuner.engine.trial import Trial

        order = Order(trial.trial_id, trial.hyperparameters.values, self._seconds_left(), self._definition)
        space = HyperParameters()
        space.values = {ORDER: order.text()}
        return Trial(space, trial.trial_id, trial.status)

    def _worker_of(self, number: str) -> str | None:
        ongoing: Mapping[str, Any] = self._oracle.ongoing_trials
        return next((worker for worker, trial in ongoing.items() if trial.trial_id == number), None)

    def _has_time(self) -> bool:
        left = self._seconds_left()
        return left is None or left > 0
