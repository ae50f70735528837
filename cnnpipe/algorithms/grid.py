"""Grid search: all combinations in order, the last parameter changing fastest."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from cnnpipe.algorithms import Algorithm, Search


class Grid(Algorithm):
    """KerasTuner's `GridSearchOracle`."""

    type: Literal["grid"] = "grid"
    needs_steps: ClassVar[bool] = True
    ends_by_itself: ClassVar[bool] = True

    def oracle(self, search: Search) -> Any:
        """Return the oracle."""
        from cnnpipe.algorithms._oracles import GridOracle

        return GridOracle(search)
