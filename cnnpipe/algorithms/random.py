"""Random search: every candidate is drawn from the whole space, none twice (Bergstra & Bengio 2012)."""

from __future__ import annotations

from typing import Any, Literal

from cnnpipe.algorithms import Algorithm, Search


class Random(Algorithm):
    """KerasTuner's `RandomSearchOracle`."""

    type: Literal["random"] = "random"

    def oracle(self, search: Search) -> Any:
        """Return the oracle."""
        from cnnpipe.algorithms._oracles import RandomOracle

        return RandomOracle(search)
