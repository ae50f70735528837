"""KerasTuner's oracles, with a state that survives a kill at any moment, and without candidates that cannot be.

KerasTuner writes a file for the oracle and one for each trial, not atomically, and neither the order of a grid nor all
random states; its own trials that failed end a search. Here the whole state is one value, handed on to be written
in one step; candidates that do not fit are judged before they become trials; failed trials end nothing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import keras_tuner
from keras_tuner.engine.hyperparameters import HyperParameters
from keras_tuner.engine.trial import Trial

from cnnpipe.algorithms import OUTCOME, Search

MOST_REJECTED = 2000
"""After so many candidates in a row that do not fit, a space counts as searched."""
MOST_COLLISIONS = 2000
"""After so many candidates in a row that were tried before, too."""


class StudyOracle(keras_tuner.Oracle):  # type: ignore[misc]
    """What all oracles of a study share.

    Args:
        search: What is searched.
        options: Further arguments of KerasTuner's oracle.
    """

    def __init__(self, search: Search, **options: Any) -> None:
        space = HyperParameters()
        space.merge(list(search.space))
        super().__init__(
            objective=keras_tuner.Objective("cost", "min"), hyperparameters=space, seed=search.seed + 1,  # 0 is random
            max_consecutive_failed_trials=sys.maxsize, **options,
        )  # fmt: skip
        self.max_trials = search.max_trials
        self.search, self.verbose = search, 0
        self.outcomes: dict[str, dict[str, Any]] = {}
        self.rejected: list[dict[str, Any]] = []
        self._max_collisions = MOST_COLLISIONS

    def accepts(self, values: Mapping[str, Any]) -> bool:
        """Whether a candidate may become a trial; keeps the reason why not."""
        reason = self.search.judge(values)
        if reason:
            self._tried_so_far.add(self._compute_values_hash(values))
            self.rejected.append({"values": dict(values), "reason": reason})
        return not reason

    def _random_values(self) -> dict[str, Any] | None:
        for _ in range(MOST_REJECTED):
            values: dict[str, Any] | None = super()._random_values()
            if values is None or self.accepts(values):
                return values
        return None

    @keras_tuner.synchronized  # type: ignore[untyped-decorator]
    def end_trial(self, trial: Any) -> None:
        """Take what was measured, then do what KerasTuner does with the values that it drew itself."""
        self.outcomes[trial.trial_id] = json.loads(trial.hyperparameters.values[OUTCOME])
        trial.hyperparameters = self.trials[trial.trial_id].hyperparameters
        super().end_trial(trial)

    @keras_tuner.synchronized  # type: ignore[untyped-decorator]
    def give_back(self, number: str) -> None:
        """Let another worker do a trial that one began."""
        for worker in [worker for worker, trial in self.ongoing_trials.items() if trial.trial_id == number]:
            del self.ongoing_trials[worker]
        self._retry_queue.append(number)
        self.save()

    def score_trial(self, trial: Any) -> None:
        """Score a trial by its first objective."""
        trial.score = self.search.costs(trial.trial_id)[0]

    def continuable(self) -> set[str]:
        """Return the trials with whose weights another one may go on."""
        return set()

    def save(self) -> None:
        """Hand on the whole state."""
        self.search.keep(self.get_state())

    def _save_trial(self, trial: Any) -> None:
        """Do nothing: trials are part of the state."""

    def get_state(self) -> dict[str, Any]:
        """Return the whole state as plain values."""
        trials = [
            {"id": trial.trial_id, "values": trial.hyperparameters.values, "status": trial.status, "score": trial.score}
            for trial in self.trials.values()
        ]
        state = super().get_state()
        for known in ("hyperparameters", "display"):  # the space does not change
            del state[known]
        return {**state, "trials": trials, "outcomes": self.outcomes, "rejected": self.rejected}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take back a state; trials that were running when it was written run again first."""
        self.trials = {found["id"]: self._trial(found) for found in state["trials"]}
        self.outcomes, self.rejected = dict(state["outcomes"]), list(state["rejected"])
        known = {"hyperparameters": self.hyperparameters.get_config(), "display": self._display.get_state()}
        super().set_state({**state, **known})
        # KerasTuner counts a trial that has just ended among the ongoing ones while it saves.
        unfinished = {trial.trial_id for trial in self.trials.values() if trial.status == "RUNNING"}
        self._retry_queue += sorted(unfinished - set(self._retry_queue), reverse=True)  # taken from its end
        self.ongoing_trials: dict[str, Any] = {}

    def _trial(self, found: Mapping[str, Any]) -> Any:
        space = self.hyperparameters.copy()
        space.values = dict(found["values"])
        trial = Trial(space, found["id"], found["status"])
        trial.score = found["score"]
        return trial


class RandomOracle(StudyOracle, keras_tuner.oracles.RandomSearchOracle):  # type: ignore[misc]
    """Random search."""


class HyperbandOracle(StudyOracle, keras_tuner.oracles.HyperbandOracle):  # type: ignore[misc]
    """Hyperband, up to the epochs of the recipe."""

    def __init__(self, search: Search, **options: Any) -> None:
        super().__init__(search, max_epochs=search.epochs, **options)

    def continuable(self) -> set[str]:
        """Return the trials of rounds that another round may follow."""
        rounds = [found for bracket in self._brackets for found in bracket["rounds"][:-1]]
        return {trial["id"] for found in rounds for trial in found}


class GridOracle(StudyOracle, keras_tuner.oracles.GridSearchOracle):  # type: ignore[misc]
    """Grid search over a space that does not grow: the combination after the last one, whether that is done or not."""

    def __init__(self, search: Search) -> None:
        super().__init__(search)
        self._last: dict[str, Any] | None = None

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Return the next combination that fits."""
        while True:
            values = self._first() if self._last is None else self._get_next_combination(self._last)
            if values is None:
                return {"status": "STOPPED", "values": None}
            self._last = values
            if self.accepts(values):
                return {"status": "RUNNING", "values": dict(values)}

    def _first(self) -> dict[str, Any]:
        space = HyperParameters()
        for parameter in self.hyperparameters.space:
            space.merge([parameter])
        values: dict[str, Any] = space.values
        return values

    def get_state(self) -> dict[str, Any]:
        """Return the whole state as plain values."""
        return {**super().get_state(), "last": self._last}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take back a state."""
        super().set_state(state)
        self._last = state["last"]
