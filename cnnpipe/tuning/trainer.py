"""Trials in a process of their own: what crashes, hangs or takes too much memory there ends that trial only."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from cnnpipe.child import Child, ChildError
from cnnpipe.durations import seconds_of
from cnnpipe.errors import ProblemError
from cnnpipe.recipe.load import LoadedRecipe
from cnnpipe.recipe.resolved import resolved_yaml
from cnnpipe.recipe.space import Space
from cnnpipe.registry import plugin_folders
from cnnpipe.runs import MODEL, RECORD, RESOLVED, Run
from cnnpipe.training.checkpoints import STATE, has_state
from cnnpipe.training.history import NAME as HISTORY
from cnnpipe.training.history import read_rows
from cnnpipe.tuning.search import Order, Outcome, Tell

TRAIN = "cnnpipe.jobs.trial.train_trial"
"""What a process runs for a trial."""
MOST_TRIALS = 25
"""A process is replaced after so many trials, whatever they left behind in it."""
EPOCHS, EARLIER = "tuner/epochs", "tuner/trial_id"
"""How Hyperband says how long a trial is trained, and with which trial's weights it goes on."""
MONTH = 30 * 86400.0
POLL_SECONDS, TELL_SECONDS = 0.25, 5.0
"""How often the history of a trial is looked at, and how often at least is told that it goes on."""
LARGE = (MODEL, "tensorboard", "figures")
"""What is deleted of a trial that ended; its checkpoints too, unless another trial goes on with them."""


class Trainer:
    """Trains candidates, one at a time. To be closed.

    Args:
        trials: Folder of their runs.
        space: What they are from.
        runs_folder: Where earlier runs lie, with whose weights a candidate may begin.
        threads: How many threads a training may compute in; None for as many as TensorFlow chooses.
        note: Hears of decisions.
    """

    def __init__(
        self, trials: Path, space: Space, runs_folder: str, threads: int | None, note: Callable[[str], None]
    ) -> None:
        self._folder, self._space, self._runs_folder, self._threads = trials, space, runs_folder, threads
        self._note, self._trials = note, 0
        tuning = space.loaded.recipe.tuning
        assert tuning is not None  # noqa: S101
        memory = None if tuning.max_memory is None else int(tuning.max_memory * 2**30)
        self._limit = None if tuning.max_trial_time is None else float(seconds_of(tuning.max_trial_time))
        self._tuning = tuning
        self._child = Child("the process of the trial", plugin_folders(), memory)

    def close(self) -> None:
        """End the process for good, also in the middle of a trial."""
        self._child.end()

    def __call__(self, order: Order, tell: Tell) -> Outcome | None:
        """Train a candidate; None when the time of the search is up before it ends.

        Raises:
            ProblemError: What is wrong with the data, which every candidate would find.
        """
        begin, left = time.monotonic(), order.seconds_left
        loaded = self._space.candidate(order.codes, order.codes.get(EPOCHS))
        run = Run(self._folder / order.number)
        _begin(run, loaded, self._earlier(loaded, order))
        limits = [limit for limit in (self._limit, left) if limit is not None]
        arguments = str(run.folder), self._runs_folder, self._tuning.objectives, self._threads
        try:
            with _watched(run, loaded, tell, self._child.close):
                measured = self._child.call(TRAIN, *arguments, timeout=max(0.1, min(limits, default=MONTH)))
        except ProblemError as error:
            self._renew(broken=isinstance(error, ChildError))
            if any(problem.path.startswith("data.source") for problem in error.problems):
                raise
            if left is not None and time.monotonic() - begin >= left:
                return None
            seconds = time.monotonic() - begin
            late = isinstance(error, ChildError) and self._limit is not None and seconds >= self._limit
            reason = f"it took longer than max_trial_time, {self._tuning.max_trial_time}" if late else _reason(error)
            return Outcome(reason, {"seconds": round(seconds, 3)})
        self._renew(broken=False)
        fingerprint = measured.pop("data_fingerprint")
        return Outcome("", {**measured, "seconds": round(time.monotonic() - begin, 3)}, fingerprint)

    def _renew(self, broken: bool) -> None:
        self._trials += 1
        if broken or self._trials % MOST_TRIALS == 0:
            self._child.close()

    def _earlier(self, loaded: LoadedRecipe, order: Order) -> Run | None:
        """Return the trial with whose weights this one goes on; none where a schedule would have been another."""
        earlier = order.codes.get(EARLIER)
        if earlier is None or loaded.recipe.training.schedule is not None:
            return None
        run = Run(self._folder / earlier)
        if has_state(run):
            return run
        self._note(f"trial {order.number} begins anew: the weights of trial {earlier} are not in {self._folder}")
        return None


def prune(trials: Path, ended: Iterable[str], needed: Iterable[str]) -> None:
    """Delete what is large of trials that ended, but not checkpoints with which others may go on."""
    keep = set(needed)
    for number in ended:
        for name in (*LARGE, *(() if number in keep else ("checkpoints",))):
            path = trials / number / name
            with suppress(OSError):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _begin(run: Run, loaded: LoadedRecipe, earlier: Run | None) -> None:
    """Make the folder of a trial anew: half a trial that was killed is forgotten."""
    shutil.rmtree(run.folder, ignore_errors=True)
    run.folder.mkdir(parents=True)
    if earlier is not None:
        for name in (STATE, "checkpoints/best.npz", HISTORY):
            if (earlier.folder / name).is_file():
                run.write_bytes(name, (earlier.folder / name).read_bytes())
    run.write_text(RESOLVED, resolved_yaml(loaded))
    run.write_json(RECORD, {"name": loaded.name, "number": 0, "state": "created"})


class _watched:
    """Tells how far a trial is while it runs, from the history that it writes, and ends it when it is not wanted."""

    def __init__(self, run: Run, loaded: LoadedRecipe, tell: Tell, end: Callable[[], None]) -> None:
        self._run, self._total, self._tell, self._end = run, loaded.recipe.training.total_epochs, tell, end
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        told, at = -1, 0.0
        while not self._over.wait(POLL_SECONDS):
            rows = self._rows()
            if len(rows) == told and time.monotonic() - at < TELL_SECONDS:
                continue
            told, at = len(rows), time.monotonic()
            last = {key: value for key, value in (rows[-1] if rows else {}).items() if key.startswith("validation_")}
            if not self._tell(told, self._total, last):
                self._end()
                return

    def _rows(self) -> Sequence[Mapping[str, Any]]:
        with suppress(OSError, ValueError, KeyError):
            return read_rows(self._run.folder / HISTORY)
        return ()


def _reason(error: ProblemError) -> str:
    first = error.problems[0]
    hint = f". {first.hint}" if first.hint else ""
    return f"{first.path}: {first.message}{hint}" if first.path else f"{first.message}{hint}"
