"""What a training asks of the processes that take part in it, and the answers of one that is alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras
    import numpy as np

Message = tuple[Any, Sequence["np.ndarray"]]
"""Plain values that JSON can hold, and arrays."""


class Cluster:
    """A process that trains alone.

    Args:
        index: The number of this worker; 0 is the chief, who judges, keeps and writes.
        size: How many workers there are.
    """

    def __init__(self, index: int = 0, size: int = 1) -> None:
        self.index, self.size = index, size

    @property
    def chief(self) -> bool:
        """Whether this is the process that judges, keeps and writes."""
        return self.index == 0

    def gather(self, what: str, value: Any = None, arrays: Iterable[np.ndarray] = ()) -> list[Message]:
        """Return what all workers give at this point, in the order of their numbers. All of them must come here.

        Args:
            what: Name of this point; workers that meet with different names are not in step.
            value: Plain values.
            arrays: Arrays.

        Raises:
            WorkerLost: Another process is gone.
        """
        return [(value, list(arrays))]

    def average_updates(self, model: keras.Model) -> None:
        """Let the optimizer of a compiled model use the average of all workers' gradients."""

    def own_randomness(self, model: keras.Model) -> None:
        """Let the generators inside a model draw other numbers than those of other workers, from the chief's state."""

    def explained(self, error: BaseException) -> BaseException:
        """Return what an error means: one of TensorFlow's may be that of a worker that is gone."""
        return error


ALONE = Cluster()
