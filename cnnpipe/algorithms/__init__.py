"""Algorithms of searches for the best recipe, on the oracles of KerasTuner. One file each."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from cnnpipe.registry import Component, Room
from cnnpipe.spec import Spec

Codes = Mapping[str, Any]
"""What KerasTuner drew for each parameter that is there, by the path that the space says."""
OUTCOME = "tuner/outcome"
"""Where a trial that ends carries what was measured, as JSON: KerasTuner's messages between hosts have no other place
for text, and round numbers to 32 bits."""


@dataclass(frozen=True)
class Search:
    """What an oracle needs of a study.

    Args:
        space: KerasTuner's hyperparameters.
        seed: Of all that is random.
        max_trials: How many candidates are trained at most; None for no limit.
        epochs: Epochs of the recipe.
        judge: Returns why a candidate need not be trained, or nothing when it fits.
        costs: Returns the objectives of a trained candidate by its number, each as a number that shall become smaller.
        keep: Writes the state of the search.
    """

    space: Sequence[Any]
    seed: int
    max_trials: int | None
    epochs: int
    judge: Callable[[Codes], str]
    costs: Callable[[str], Sequence[float]]
    keep: Callable[[Mapping[str, Any]], None]


class Algorithm(Spec):
    """Base of all algorithms: how the next candidate is chosen."""

    type: str
    needs_steps: ClassVar[bool] = False
    """Whether all values must be listed."""
    sets_epochs: ClassVar[bool] = False
    """Whether it decides how many epochs a candidate is trained."""
    ends_by_itself: ClassVar[bool] = False
    """Whether the search ends without a limit."""

    @abstractmethod
    def oracle(self, search: Search) -> Any:
        """Return the oracle, whose `create_trial` and `end_trial` drive a search."""


ROOM = Room("algorithms", Algorithm)
AnyAlgorithm = Annotated[Algorithm, Component("algorithms")]
