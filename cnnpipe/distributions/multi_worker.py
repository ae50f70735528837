"""Several processes, on one host or many, each with a copy of the network, which exchange gradients in every step."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import ClassVar, Literal

from pydantic import Field

from cnnpipe.distributions import Distribution


class MultiWorker(Distribution):
    """Keras's `fit` in each worker, on its part of each batch, with TensorFlow's all-reduce before each update.

    Weights are those of one process, to rounding, but for BatchNorm and dropout: BatchNorm takes its statistics from
    each worker's part of a batch, and its moving averages are averaged; each worker draws its own dropout.
    """

    type: Literal["multi_worker"] = "multi_worker"
    processes: ClassVar[bool] = True
    workers: int = Field(default=2, ge=2)
    """Processes that take part, the chief among them, which alone judges, keeps and writes."""

    @property
    def parts(self) -> int | None:
        """The workers."""
        return self.workers

    def scope(self) -> AbstractContextManager[object]:
        """Return a context that changes nothing: each process has its own network."""
        return nullcontext()
