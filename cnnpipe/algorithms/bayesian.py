"""Bayesian optimization by a Gaussian process (Snoek et al. 2012); several objectives as in ParEGO (Knowles 2006)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from cnnpipe.algorithms import Algorithm, Search


class Bayesian(Algorithm):
    """The Gaussian process of KerasTuner's `BayesianOptimizationOracle`, asked only for candidates that fit."""

    type: Literal["bayesian"] = "bayesian"
    also_called: ClassVar[tuple[str, ...]] = ("bayesian_optimization", "bayes", "gaussian_process")
    num_initial_points: int | None = Field(default=None, ge=2)
    """Random candidates before the process is asked; twice as many as there are parameters when left out."""
    alpha: float = Field(default=1e-4, gt=0)
    """Expected noise of the scores, after they were scaled to variance 1."""
    beta: float = Field(default=2.6, ge=0)
    """How much not knowing counts against promising: larger explores more."""

    def oracle(self, search: Search) -> Any:
        """Return the oracle."""
        from cnnpipe.algorithms._bayesian import BayesianOracle

        points = self.num_initial_points or max(3, 2 * len(search.space))
        return BayesianOracle(search, num_initial_points=points, alpha=self.alpha, beta=self.beta)
