"""Hyperband: many candidates for a few epochs, the best of them for more (Li et al. 2018, arXiv 1603.06560)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from cnnpipe.algorithms import Algorithm, Search


class Hyperband(Algorithm):
    """KerasTuner's `HyperbandOracle`; its `max_epochs` are the recipe's `training.epochs`."""

    type: Literal["hyperband"] = "hyperband"
    sets_epochs: ClassVar[bool] = True
    ends_by_itself: ClassVar[bool] = True
    factor: int = Field(default=3, ge=2)
    """One of so many candidates is trained on, for so many times the epochs."""
    hyperband_iterations: int = Field(default=1, ge=1)
    """How often the whole algorithm is repeated."""

    def oracle(self, search: Search) -> Any:
        """Return the oracle."""
        from cnnpipe.algorithms._oracles import HyperbandOracle

        return HyperbandOracle(search, factor=self.factor, hyperband_iterations=self.hyperband_iterations)
