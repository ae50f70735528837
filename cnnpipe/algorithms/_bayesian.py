"""The oracle of Bayesian optimization: KerasTuner's Gaussian process, asked among candidates that are new and fit.

KerasTuner moves to the optimum of the process in a continuous space, which in a space of choices is often a candidate
that was tried already, or one that cannot be. Here random candidates are ranked, and the best one that fits is taken.
All that is random follows from the seed and the number of the trial, so there is no random state to lose.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import keras_tuner
import numpy as np

from cnnpipe.algorithms import Search
from cnnpipe.algorithms._oracles import StudyOracle

CANDIDATES = 1000
"""How many random candidates are ranked for each trial."""
RHO = 0.05
"""Weight of the sum beside the maximum where several objectives are one (Knowles 2006, part III.A)."""


class BayesianOracle(StudyOracle, keras_tuner.oracles.BayesianOptimizationOracle):  # type: ignore[misc]
    """Bayesian optimization."""

    def __init__(self, search: Search, **options: Any) -> None:
        super().__init__(search, **options)

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Return the most promising of many random candidates, that fits and was never tried."""
        done = [trial for trial in self.trials.values() if trial.status == "COMPLETED"]
        found = self._random_values() if len(done) < self.num_initial_points else self._promising(done)
        return {"status": "STOPPED" if found is None else "RUNNING", "values": found}

    def _promising(self, done: list[Any]) -> dict[str, Any] | None:
        random = np.random.default_rng([self.seed, len(self.trials)])
        costs = _as_one([self.search.costs(trial.trial_id) for trial in done], random)
        places = [self._vector(trial.hyperparameters.values) for trial in done]
        for trial in self.ongoing_trials.values():  # as bad as the worst, so that no other worker tries the same
            places, costs = [*places, self._vector(trial.hyperparameters.values)], [*costs, max(costs)]
        with warnings.catch_warnings():  # of a kernel at the end of its range, which no user can act on
            warnings.simplefilter("ignore")
            self.gpr.fit(np.array(places), np.array(costs))
        drawn = {
            self._compute_values_hash(values): values for values in (self._drawn(random) for _ in range(CANDIDATES))
        }
        fresh = [values for key, values in drawn.items() if key not in self._tried_so_far]
        if not fresh:
            return self._random_values()
        mean, deviation = self.gpr.predict(np.array([self._vector(values) for values in fresh]), return_std=True)
        ranked = (fresh[position] for position in np.argsort(mean - self.beta * deviation, kind="stable"))
        return next((values for values in ranked if self.accepts(values)), None)

    def _drawn(self, random: np.random.Generator) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for parameter in self.hyperparameters.space:  # each after those that it depends on
            if all(condition.is_active(values) for condition in parameter.conditions):
                values[parameter.name] = parameter.prob_to_value(float(random.random()))
        return values

    def _vector(self, values: Mapping[str, Any]) -> list[float]:
        """Return a candidate as numbers from 0 to 1; a parameter that is not there has its default."""
        return [
            parameter.value_to_prob(values.get(parameter.name, parameter.default))
            for parameter in self.hyperparameters.space
        ]


def _as_one(costs: list[Any], random: np.random.Generator) -> list[float]:
    """Return the costs of each trial as one number: with several objectives, by weights that change at every trial."""
    table = np.array(costs, float)
    if table.shape[1] == 1:
        return [float(cost) for cost in table[:, 0]]
    spread = np.ptp(table, axis=0)
    scaled = (table - table.min(axis=0)) / np.where(spread > 0, spread, 1) * random.dirichlet(np.ones(table.shape[1]))
    return [float(cost) for cost in scaled.max(axis=1) + RHO * scaled.sum(axis=1)]
