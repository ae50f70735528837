"""Take part in a search whose chief runs in another process or on another host."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.events import Listener
from cnnpipe.jobs.searching import checked
from cnnpipe.jobs.working import Crew, check_workers, trainers
from cnnpipe.recipe.difference import differences
from cnnpipe.recipe.load import LoadedRecipe, load_recipe
from cnnpipe.recipe.space import Space
from cnnpipe.training import InterruptedRun
from cnnpipe.tuning.search import Order
from cnnpipe.tuning.study import TRIALS, definition_of
from cnnpipe.tuning.trainer import prune


def tune_worker(
    recipe: str | Path,
    chief: str,
    overrides: Sequence[str] = (),
    study_folder: str | Path | None = None,
    runs_folder: str | Path = Path("runs"),
    listener: Listener | None = None,
    workers: int = 1,
) -> int:
    """Train candidates for a chief until it has no more; return how many were tried here.

    Args:
        recipe: The chief's recipe, as this host has it; only the place of the data may be another.
        chief: HOST:PORT where it listens.
        overrides: Changes, as the chief has them.
        study_folder: The chief's study folder where this host sees it too: Hyperband then goes on with weights of other
            hosts. Left out: a temporary folder.
        runs_folder: Where earlier runs lie, with whose weights candidates may begin.
        listener: Hears what is going on.
        workers: How many candidates are trained at once on this host.

    Raises:
        ProblemError: The recipe or its data are not usable or not the chief's; no chief answers, or it is gone.
        InterruptedRun: Ctrl-C; the chief gives the trials to others.
    """
    heard = listener or Listener()
    check_workers(workers, 1, chief)
    loaded = load_recipe(recipe, overrides)
    tuning = checked(loaded)
    with ExitStack() as stack:
        if study_folder is None:
            study_folder = stack.enter_context(TemporaryDirectory(prefix="cnnpipe-"))
        trials = Path(study_folder) / TRIALS
        names = [f"{platform.node()}.{os.getpid()}.{number + 1}" for number in range(workers)]
        failures: list[BaseException] = []
        own = not tuning.algorithm.sets_epochs

        def after(number: str) -> None:
            prune(trials, [number], () if own else [number])

        _quiet(heard)
        made = trainers(trials, Space(loaded), str(runs_folder), workers, heard.note)
        with Crew(chief, names, made, _Approval(loaded), after, failures.append) as crew:
            try:
                crew.wait()
            except KeyboardInterrupt:
                hint = "The chief gives what was begun here to other workers."
                raise InterruptedRun(Problem("interrupted", hint=hint)) from None
    if failures:
        raise failures[0]
    return crew.done


class _Approval:
    """Refuses orders for another recipe."""

    def __init__(self, loaded: LoadedRecipe) -> None:
        self._definition = _comparable(definition_of(loaded.recipe))

    def __call__(self, order: Order) -> None:
        """Raise `ProblemError` for an order that is not for this recipe."""
        found = differences(_comparable(order.definition), self._definition)
        if found:
            raise ProblemError(Problem(f"the chief searches another recipe: {change}") for change in found)


def _comparable(definition: object) -> dict[str, object]:
    """Return a definition without the place of the data, whose content the chief compares."""
    assert isinstance(definition, dict)  # noqa: S101
    data = {key: value for key, value in definition["data"].items() if key != "source"}
    return {**definition, "data": data}


def _quiet(listener: Listener) -> None:
    from cnnpipe.quiet import quiet_tensorflow

    listener.stage("starting KerasTuner")
    quiet_tensorflow()
