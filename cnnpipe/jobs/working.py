"""The workers of a search that train on this host, each in a thread that waits for a process of its own."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.recipe.space import Space
from cnnpipe.tuning.client import Client
from cnnpipe.tuning.search import Order, Outcome, Tell, search
from cnnpipe.tuning.trainer import Trainer

POLL_SECONDS, MOST_PORT = 0.2, 65535


class Crew:
    """Workers that ask the chief at an address. To be used in a `with` block, whose end stops them.

    Args:
        address: HOST:PORT.
        names: What the chief calls them; no two of a search are the same.
        trainer: Makes what trains for one of them.
        approve: Raises `ProblemError` for an order that is not for this recipe.
        after: Hears of each trial that was done.
        failed: Hears what ended a worker.
    """

    def __init__(
        self, address: str, names: Sequence[str], trainer: Callable[[], Trainer], approve: Callable[[Order], None],
        after: Callable[[str], None], failed: Callable[[BaseException], None],
    ) -> None:  # fmt: skip
        self._address, self._approve, self._after, self._failed = address, approve, after, failed
        self.done = self._ended = 0
        self._stopped, self._lock = threading.Event(), threading.Lock()
        self._trainers = [trainer() for _ in names]
        self._threads = [
            threading.Thread(target=self._work, args=arguments, daemon=True)
            for arguments in zip(names, self._trainers, strict=True)
        ]

    def __enter__(self) -> Crew:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        for trainer in self._trainers:
            trainer.close()
        for thread in self._threads:
            thread.join()

    def busy(self) -> bool:
        """Whether a worker has not ended."""
        return self._ended < len(self._threads)

    def wait(self) -> None:
        """Wait until all have ended. Not by `Thread.join`: Ctrl-C in it lets Python take the thread for dead."""
        while self.busy():
            time.sleep(POLL_SECONDS)

    def _work(self, name: str, trainer: Trainer) -> None:
        client = None
        try:
            client = Client(self._address)
            search(client, self._training(trainer), name, self._stopped.is_set)
        except BaseException as error:  # told by whoever waits
            if not self._stopped.is_set():
                self._failed(error)
        finally:
            trainer.close()
            if client is not None:
                client.close()
            with self._lock:
                self._ended += 1

    def _training(self, trainer: Trainer) -> Callable[[Order, Tell], Outcome | None]:
        def train(order: Order, tell: Tell) -> Outcome | None:
            self._approve(order)
            outcome = trainer(order, tell)
            if outcome is not None:
                with self._lock:
                    self.done += 1
                self._after(order.number)
            return outcome

        return train


def trainers(
    trials: Path, space: Space, runs_folder: str, workers: int, note: Callable[[str], None]
) -> Callable[[], Trainer]:
    """Return what makes the trainer of each of several workers, which share the processor."""
    threads = None
    if workers > 1:
        cores = os.cpu_count() or 1
        threads = max(1, cores // workers)
        note(f"{workers} workers, each computes in {threads} thread{'s' * (threads > 1)} of {cores} cores")
    return lambda: Trainer(trials, space, runs_folder, threads, note)


def check_workers(workers: int, least: int, address: str | None) -> None:
    """Refuse a number of workers, or an address, that cannot be. Raises `ProblemError`."""
    if workers < least:
        hint = "0 is only for a chief that listens."
        raise ProblemError(Problem(f"expected at least {least} worker (received {workers})", hint=hint))
    host, _, port = (address or "localhost:0").rpartition(":")
    if not host or not port.isdecimal() or int(port) > MOST_PORT:
        raise ProblemError(Problem(f"expected HOST:PORT, such as 192.168.1.7:8000 (received '{address}')"))
