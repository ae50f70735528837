"""Trials in a process of their own: what crashes, hangs or takes too much memory there ends that trial only."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from cnnpipe.child import Child, ChildError
from cnnpipe.durations import seconds_of
from cnnpipe.errors import ProblemError
from cnnpipe.events import Listener
from cnnpipe.recipe.load import LoadedRecipe
from cnnpipe.recipe.resolved import resolved_yaml
from cnnpipe.recipe.space import Space
from cnnpipe.registry import plugin_folders
from cnnpipe.runs import MODEL, RECORD, RESOLVED, Run
from cnnpipe.training.checkpoints import STATE, has_state
from cnnpipe.training.history import NAME as HISTORY
from cnnpipe.training.history import read_rows
from cnnpipe.tuning.search import Outcome
from cnnpipe.tuning.study import TRIALS, Study

TRAIN = "cnnpipe.jobs.trial.train_trial"
"""What a process runs for a trial."""
MOST_TRIALS = 25
"""A process is replaced after so many trials, whatever they left behind in it."""
EPOCHS, EARLIER = "tuner/epochs", "tuner/trial_id"
"""How Hyperband says how long a trial is trained, and with which trial's weights it goes on."""
MONTH = 30 * 86400.0
POLL_SECONDS = 0.25
LARGE = (MODEL, "tensorboard", "figures")
"""What is deleted of a trial that ended; its checkpoints too, unless another trial goes on with them."""


class Trainer:
    """Trains candidates, one at a time. To be closed.

    Args:
        study: Where their runs are kept.
        space: What they are from.
        runs_folder: Where earlier runs lie, with whose weights a candidate may begin.
        seconds_left: Returns the time that is left for the whole search, None when there is no limit.
        listener: Hears of the epochs of the current trial.
    """

    def __init__(
        self, study: Study, space: Space, runs_folder: str, seconds_left: Callable[[], float | None],
        listener: Listener,
    ) -> None:  # fmt: skip
        self._study, self._space, self._runs_folder, self._left = study, space, runs_folder, seconds_left
        self._listener, self._trials = listener, 0
        tuning = space.loaded.recipe.tuning
        assert tuning is not None  # noqa: S101
        memory = None if tuning.max_memory is None else int(tuning.max_memory * 2**30)
        self._limit = None if tuning.max_trial_time is None else float(seconds_of(tuning.max_trial_time))
        self._child = Child("the process of the trial", plugin_folders(), memory)

    def close(self) -> None:
        """End the process."""
        self._child.end()

    def __call__(self, number: str, codes: Mapping[str, Any]) -> Outcome | None:
        """Train a candidate; None when the time of the search is up before it ends.

        Raises:
            ProblemError: What is wrong with the data, which every candidate would find.
        """
        begin = time.monotonic()
        loaded = self._space.candidate(codes, codes.get(EPOCHS))
        run = self._study.trial(number)
        _begin(run, loaded, self._earlier(loaded, codes))
        left = self._left()
        limits = [limit for limit in (self._limit, left) if limit is not None]
        try:
            with _watched(run, loaded, self._listener):
                measured = self._child.call(
                    TRAIN, str(run.folder), self._runs_folder, timeout=max(0.1, min(limits, default=MONTH))
                )
        except ProblemError as error:
            self._renew(broken=isinstance(error, ChildError))
            if any(problem.path.startswith("data.source") for problem in error.problems):
                raise
            if left is not None and time.monotonic() - begin >= left:
                return None
            return Outcome(_reason(error), {"seconds": round(time.monotonic() - begin, 3)})
        self._study.check_data(measured.pop("data_fingerprint"))
        self._renew(broken=False)
        return Outcome("", {**measured, "seconds": round(time.monotonic() - begin, 3)})

    def _renew(self, broken: bool) -> None:
        self._trials += 1
        if broken or self._trials % MOST_TRIALS == 0:
            self._child.close()

    def _earlier(self, loaded: LoadedRecipe, codes: Mapping[str, Any]) -> Run | None:
        """Return the trial with whose weights this one goes on; none where a schedule would have been another."""
        earlier = codes.get(EARLIER)
        if earlier is None or loaded.recipe.training.schedule is not None:
            return None
        run = self._study.trial(earlier)
        return run if has_state(run) else None


def prune(study: Study, needed: Iterable[str], ongoing: Iterable[str]) -> None:
    """Delete what is large of all trials that ended, but not checkpoints with which others may go on."""
    keep = set(needed)
    for folder in (study.folder / TRIALS).glob("*"):
        if folder.name in ongoing:
            continue
        for name in (*LARGE, *(() if folder.name in keep else ("checkpoints",))):
            with suppress(OSError):
                shutil.rmtree(folder / name) if (folder / name).is_dir() else (folder / name).unlink()


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
    """Tells the epochs of a trial while it runs, from the history that it writes."""

    def __init__(self, run: Run, loaded: LoadedRecipe, listener: Listener) -> None:
        self._run, self._total, self._listener = run, loaded.recipe.training.total_epochs, listener
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(POLL_SECONDS):
            with suppress(OSError, ValueError, KeyError):
                rows = read_rows(self._run.folder / HISTORY)
                last = {
                    name: value for name, value in (rows[-1] if rows else {}).items() if name.startswith("validation_")
                }
                self._listener.progress(len(rows), self._total, last)


def _reason(error: ProblemError) -> str:
    first = error.problems[0]
    hint = f". {first.hint}" if first.hint else ""
    return f"{first.path}: {first.message}{hint}" if first.path else f"{first.message}{hint}"
