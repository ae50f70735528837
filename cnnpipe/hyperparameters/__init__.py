"""What may vary in a search: the kinds of parameters that KerasTuner has, under its names. One file each."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from cnnpipe.registry import Component, Room
from cnnpipe.spec import Spec

Sampling = Literal["linear", "log", "reverse_log"]
"""How KerasTuner spreads random numbers over a range."""


class Hyperparameter(Spec):
    """Base of all kinds of parameters of a search space. What KerasTuner draws is a code: a number or a boolean."""

    type: str

    when: dict[str, Any] | None = None
    """Only there while other parameters of the space have these values, each one value or a list: a single value as it
    is written, a mapping by its `name` or `type`, blocks by their number, from 0."""

    @abstractmethod
    def tuned(self, name: str, conditions: Sequence[Any]) -> Any:
        """Return KerasTuner's hyperparameter, which is there when all conditions of KerasTuner hold."""

    @abstractmethod
    def ends(self) -> tuple[Any, ...]:
        """Return codes after which every other code is legal too: all of a choice, the ends of a range."""

    @abstractmethod
    def value(self, code: Any) -> Any:
        """Return the value in the recipe that a code stands for."""

    @abstractmethod
    def count(self) -> int | None:
        """Return how many values there are; None when they are not counted."""

    @abstractmethod
    def text(self) -> str:
        """Return what the values are, in words."""

    def label(self, code: Any) -> str:
        """Return what tables call the value of a code, and what `when` calls it."""
        value = self.value(code)
        return str(value).lower() if isinstance(value, bool) else str(value)

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Return keys that do not fit together, each with what is wrong."""
        yield from ()


ROOM = Room("hyperparameters", Hyperparameter)
AnyHyperparameter = Annotated[Hyperparameter, Component("hyperparameters")]
