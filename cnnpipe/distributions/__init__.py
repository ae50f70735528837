"""Ways to train on several devices or machines. Each batch is divided into equal parts. One file each."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Annotated, ClassVar

from cnnpipe.registry import Component, Room
from cnnpipe.spec import Spec


class Distribution(Spec):
    """Base of all distributions: who computes which part of a batch.

    The batch is the recipe's, whatever computes it: the same examples, changed in the same way, make the same step.
    """

    type: str
    processes: ClassVar[bool] = False
    """Whether the parts are computed by processes of their own."""
    one_step_per_call: ClassVar[bool] = False
    """Whether TensorFlow cannot take several steps in one call."""
    refused: ClassVar[Mapping[str, str]] = {}
    """Keys of optimizers that cannot be honoured, and why."""

    @property
    def parts(self) -> int | None:
        """Into how many parts a batch is divided; None where only the machine tells."""
        return None

    @abstractmethod
    def scope(self) -> AbstractContextManager[object]:
        """Return a context inside which networks are built and trained.

        Raises:
            ProblemError: The machine has not what is asked for.
        """


ROOM = Room("distributions", Distribution)
AnyDistribution = Annotated[Distribution, Component("distributions")]
