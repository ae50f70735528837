"""Search the space of a recipe for the best candidate; go on with a search that was stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cnnpipe import files
from cnnpipe.errors import GateError, Problem, ProblemError
from cnnpipe.jobs.searching import Searching, TuneListener, checked
from cnnpipe.jobs.working import Crew, check_workers, trainers
from cnnpipe.recipe.load import LoadedRecipe, load_recipe
from cnnpipe.report.drawing import write_picture
from cnnpipe.report.pareto_plot import draw_front
from cnnpipe.training import InterruptedRun
from cnnpipe.tuning.best import best_yaml
from cnnpipe.tuning.importance import Importance, importances
from cnnpipe.tuning.records import LATENCY, Objectives, Record, best, completed, front
from cnnpipe.tuning.search import search
from cnnpipe.tuning.server import LOCAL, Server
from cnnpipe.tuning.study import BEST, opened
from cnnpipe.tuning.trainer import Trainer, prune

PLOT = "front.svg"
EVERYWHERE = ("0.0.0.0", "[::]")  # noqa: S104
"""Hosts of an address at which all networks are listened to, this host's own too."""
SHOWN_REASONS = 3


@dataclass(frozen=True)
class TuneResult:
    """What a search came to.

    Args:
        study: Its folder.
        recipe: The best candidate as a recipe file.
        records: All candidates, trained or rejected.
        best: The best one.
        front: The candidates than which none is better in all objectives; only with several objectives.
        objectives: What was made better.
        importances: How much each parameter mattered, the one that mattered most first.
        examples: How many examples of the validation split each score is of.
        seconds: Time spent searching, over all processes.
        ended: Why the search ended.
    """

    study: Path
    recipe: Path
    records: tuple[Record, ...]
    best: Record
    front: tuple[Record, ...]
    objectives: Objectives
    importances: tuple[Importance, ...]
    examples: int
    seconds: float
    ended: str

    def as_json(self) -> dict[str, Any]:
        """Return the plain form."""
        return {
            "study": str(self.study), "recipe": str(self.recipe), "best": self.best.as_json(),
            "front": [record.as_json() for record in self.front],
            "trials": [record.as_json() for record in self.records],
            "importances": [importance.as_json() for importance in self.importances],
            "examples": self.examples, "seconds": round(self.seconds, 3), "ended": self.ended,
        }  # fmt: skip


def tune(
    recipe: str | Path,
    overrides: Sequence[str] = (),
    study_folder: str | Path | None = None,
    runs_folder: str | Path = Path("runs"),
    listener: TuneListener | None = None,
    workers: int = 1,
    listen: str | None = None,
) -> TuneResult:
    """Search for the best candidate of a recipe's space, and write it as a recipe.

    Args:
        recipe: A recipe file or the name of a shipped recipe, with a section `tuning`.
        overrides: Changes such as `tuning.max_trials=30`.
        study_folder: Where the search is kept; `studies/NAME` when left out. One that is there goes on: no finished
            trial is repeated.
        runs_folder: Where earlier runs lie, with whose weights candidates may begin.
        listener: Hears what is going on.
        workers: How many candidates are trained at once on this host; 0 only with `listen`.
        listen: HOST:PORT where workers of other hosts may ask for trials, see `tune_worker`. Whoever reaches that port
            can take part.

    Raises:
        ProblemError: The recipe, its space or its data are not usable, or the study was begun with another recipe.
        GateError: No candidate could be trained; says why.
        InterruptedRun: Ctrl-C; the search can go on.
    """
    heard = listener or TuneListener()
    check_workers(workers, 1 if listen is None else 0, listen)
    loaded = load_recipe(recipe, overrides)
    tuning = checked(loaded)
    if listen is not None and LATENCY in tuning.objectives:
        hint = "Search on one host, with --workers."
        raise ProblemError(Problem("times of different hosts cannot be compared", path="tuning.objectives", hint=hint))
    folder = Path(study_folder) if study_folder is not None else Path("studies") / loaded.name
    with opened(folder, loaded.recipe, heard) as study:
        searching = Searching(loaded, study, heard)
        trainer = trainers(study.trials, searching.space, str(runs_folder), workers, heard.note)
        try:
            if workers == 1 and listen is None:
                _alone(searching, trainer())
            else:
                _together(searching, trainer, workers, listen, heard)
        except KeyboardInterrupt:
            hint = f"Go on with the same command; {study.folder} keeps what is done."
            raise InterruptedRun(Problem("interrupted; no finished trial is lost", hint=hint)) from None
        return _result(loaded, searching)


def _alone(searching: Searching, trainer: Trainer) -> None:
    with closing(trainer):
        search(searching.chief, trainer, "worker1", lambda: False)


def _together(
    searching: Searching, trainer: Callable[[], Trainer], workers: int, listen: str | None, listener: TuneListener
) -> None:
    """Let workers of this host, and of others, ask over the network."""
    server = Server(searching.chief)
    names = [f"worker{number + 1}" for number in range(workers)]
    with server.listening(listen or LOCAL) as address:
        if listen is not None:
            listener.note(f"workers of other hosts may join at {address}")
        host, _, port = address.rpartition(":")
        near = f"{'127.0.0.1' if host in EVERYWHERE else host}:{port}"
        with Crew(near, names, trainer, _no_check, _no_check, server.fail) as crew:
            server.wait(crew.busy)


def _no_check(_: object) -> None:
    """Accept an order of this process."""


def _result(loaded: LoadedRecipe, searching: Searching) -> TuneResult:
    """Write what was found, and return it."""
    study, objectives, ended = searching.study, searching.objectives, searching.why_over()
    records = tuple(
        replace(record, state="unfinished") if record.state == "running" else record for record in searching.records()
    )
    found = best(records, objectives)
    if found is None:
        raise GateError(_nothing(records, ended))
    if not searching.may_go_on():
        prune(study.trials, searching.oracle.end_order, ())
    recipe = study.folder / BEST
    files.write_text(recipe, best_yaml(loaded, searching.space, found, objectives, study.folder))
    several = len(objectives.names) > 1
    none_better = tuple(front(records, objectives)) if several else ()
    if several:
        title = f"{loaded.name}: {len(completed(records))} trials"
        write_picture(draw_front(completed(records), none_better, objectives, title), study.folder / PLOT)
    return TuneResult(
        study.folder, recipe, records, found, none_better, objectives,
        importances(searching.space, completed(records), objectives),
        int(searching.oracle.outcomes[found.number].get("examples", 0)), study.seconds, ended,
    )  # fmt: skip


def _nothing(records: Sequence[Record], ended: str) -> list[Problem]:
    """Return why no candidate could be trained."""
    reasons = [(record.state, record.reason) for record in records if record.reason]
    if not reasons:
        return [Problem(f"no trial came to its end: {ended}", path="tuning", hint="Give it more time.")]
    counts = {key: reasons.count(key) for key in dict.fromkeys(reasons)}
    first = sorted(counts.items(), key=lambda item: -item[1])[:SHOWN_REASONS]
    return [Problem(f"no candidate could be trained: {count} {state}: {reason}", path="tuning")
            for (state, reason), count in first]  # fmt: skip
