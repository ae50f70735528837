"""Search the space of a recipe for the best candidate; go on with a search that was stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cnnpipe import files
from cnnpipe.algorithms import Search
from cnnpipe.durations import seconds_of
from cnnpipe.errors import GateError, Problem, ProblemError
from cnnpipe.events import Listener
from cnnpipe.jobs.compiling import opened as listed
from cnnpipe.recipe.load import LoadedRecipe, load_recipe
from cnnpipe.recipe.schema import Tuning
from cnnpipe.recipe.space import Space
from cnnpipe.recipe.space_problems import space_problems
from cnnpipe.report.drawing import write_picture
from cnnpipe.report.pareto_plot import draw_front
from cnnpipe.report.tuning import csv_text
from cnnpipe.training import InterruptedRun
from cnnpipe.tuning.best import best_yaml
from cnnpipe.tuning.importance import Importance, importances
from cnnpipe.tuning.judging import Judge
from cnnpipe.tuning.records import SCORE, Objectives, Record, best, completed, front
from cnnpipe.tuning.search import search
from cnnpipe.tuning.study import BEST, Study, opened
from cnnpipe.tuning.trainer import Trainer, prune

TABLE, PLOT = "trials.csv", "front.svg"
WORKER = "worker0"
SHOWN_REASONS = 3


class TuneListener(Listener):
    """Hears what a search does. This one is silent."""

    def trials(self, records: Sequence[Record], objectives: Objectives, limit: int | None) -> None:
        """Hear of all candidates so far, whenever one of them begins or ends, and how many there may be."""


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
) -> TuneResult:
    """Search for the best candidate of a recipe's space, and write it as a recipe.

    Args:
        recipe: A recipe file or the name of a shipped recipe, with a section `tuning`.
        overrides: Changes such as `tuning.max_trials=30`.
        study_folder: Where the search is kept; `studies/NAME` when left out. One that is there goes on: no finished
            trial is repeated.
        runs_folder: Where earlier runs lie, with whose weights candidates may begin.
        listener: Hears what is going on.

    Raises:
        ProblemError: The recipe, its space or its data are not usable, or the study was begun with another recipe.
        GateError: No candidate could be trained; says why.
        InterruptedRun: Ctrl-C; the search can go on.
    """
    heard = listener or TuneListener()
    loaded = load_recipe(recipe, overrides)
    tuning = _checked(loaded)
    folder = Path(study_folder) if study_folder is not None else Path("studies") / loaded.name
    with opened(folder, loaded.recipe, heard) as study:
        job = _Job(loaded, tuning, study, str(runs_folder), heard)
        try:
            ended = job.search()
        except KeyboardInterrupt:
            hint = f"Go on with the same command; {study.folder} keeps what is done."
            raise InterruptedRun(Problem("interrupted; no finished trial is lost", hint=hint)) from None
        return job.result(ended)


def _checked(loaded: LoadedRecipe) -> Tuning:
    if loaded.recipe.tuning is None:
        hint = "Write one: tuning: {max_trials: 20, space: {training.batch_size: {type: choice, values: [32, 64]}}}"
        raise ProblemError(Problem("the recipe has no section 'tuning'", loaded.place_of(()), "tuning", hint))
    problems = space_problems(loaded)
    if any(problem.severity == "error" for problem in problems):
        raise ProblemError(problems)
    return loaded.recipe.tuning


class _Job:
    """A search in this process."""

    def __init__(
        self, loaded: LoadedRecipe, tuning: Tuning, study: Study, runs_folder: str, listener: TuneListener
    ) -> None:
        task = loaded.recipe.task
        self.loaded, self.tuning, self.study, self.listener = loaded, tuning, study, listener
        self.space, self.runs_folder = Space(loaded), runs_folder
        names = task.known_class_names() or loaded.recipe.data.source.class_names() or listed(loaded).class_names
        self.judge = Judge(self.space, names)
        self.objectives = Objectives(tuning.objectives, task.headline())
        self.oracle = self._oracle()

    def search(self) -> str:
        """Try candidates until the search ends; return why it did."""
        trainer = Trainer(self.study, self.space, self.runs_folder, self._seconds_left, self.listener)
        with closing(trainer):
            search(self.oracle, self._announced(trainer), WORKER, self._has_time, self._ended)
        prune(self.study, (), ())
        if not self._has_time():
            return f"max_time of {self.tuning.max_time} is used up"
        done = len(self.oracle.trials)
        return f"{done} trials are done" if done == self.tuning.max_trials else "there are no other candidates"

    def result(self, ended: str) -> TuneResult:
        """Write what was found, and return it."""
        records = tuple(
            replace(record, state="unfinished") if record.state == "running" else record for record in self.records()
        )
        found = best(records, self.objectives)
        if found is None:
            raise GateError(_nothing(records, ended))
        recipe = self.study.folder / BEST
        files.write_text(recipe, best_yaml(self.loaded, self.space, found, self.objectives, self.study.folder))
        several = len(self.objectives.names) > 1
        none_better = tuple(front(records, self.objectives)) if several else ()
        if several:
            title = f"{self.loaded.name}: {len(completed(records))} trials"
            drawing = draw_front(completed(records), none_better, self.objectives, title)
            write_picture(drawing, self.study.folder / PLOT)
        return TuneResult(
            self.study.folder, recipe, records, found, none_better, self.objectives,
            importances(self.space, completed(records), self.objectives),
            int(self.oracle.outcomes[found.number].get("examples", 0)), self.study.seconds, ended,
        )  # fmt: skip

    def records(self) -> tuple[Record, ...]:
        """Return all candidates so far."""
        trained = [self._record(trial) for trial in self.oracle.trials.values()]
        return (*trained, *(
            Record("", "rejected", self.space.labels(found["values"]), found["values"], {}, reason=found["reason"])
            for found in self.oracle.rejected
        ))  # fmt: skip

    def _record(self, trial: Any) -> Record:
        codes, outcome = trial.hyperparameters.values, self.oracle.outcomes.get(trial.trial_id, {})
        objectives = dict(self.judge(codes).figures)
        if "score" in outcome:
            objectives = {SCORE: outcome["score"], **objectives}
        state = {"COMPLETED": "completed", "FAILED": "failed"}.get(trial.status, "running")
        return Record(
            trial.trial_id, state, self.space.labels(codes), codes, objectives,  # type: ignore[arg-type]
            int(outcome["epochs"]) if "epochs" in outcome else None, outcome.get("seconds"), outcome.get("reason", ""),
        )  # fmt: skip

    def _oracle(self) -> Any:
        from cnnpipe.quiet import quiet_tensorflow

        self.listener.stage("starting KerasTuner")
        quiet_tensorflow()
        from keras_tuner.src.engine.conditions import Parent

        tuned = [
            parameter.spec.tuned(
                parameter.name, [Parent(name, list(known)) for name, known in parameter.parents.items()]
            )
            for parameter in self.space.parameters
        ]
        recipe = self.loaded.recipe
        oracle = self.tuning.algorithm.oracle(Search(
            tuned, recipe.seed, self.tuning.max_trials, recipe.training.total_epochs,
            lambda codes: self.judge(codes).reason, self._costs, self.study.keep,
        ))  # fmt: skip
        if self.study.state is not None:
            oracle.set_state(self.study.state)
        return oracle

    def _costs(self, number: str) -> tuple[float, ...]:
        figures = self.judge(self.oracle.trials[number].hyperparameters.values).figures
        return self.objectives.costs({SCORE: self.oracle.outcomes[number]["score"], **figures})

    def _announced(self, trainer: Trainer) -> Callable[[str, Mapping[str, Any]], Any]:
        def train(number: str, codes: Mapping[str, Any]) -> Any:
            self._tell()
            return trainer(number, codes)

        return train

    def _ended(self, number: str) -> None:
        ongoing = {trial.trial_id for trial in self.oracle.ongoing_trials.values()}
        prune(self.study, self.oracle.continuable(), ongoing)
        files.write_text(self.study.folder / TABLE, csv_text(self.records(), self.space, self.objectives))
        self._tell()

    def _tell(self) -> None:
        self.listener.trials(self.records(), self.objectives, self.tuning.max_trials)

    def _seconds_left(self) -> float | None:
        limit = self.tuning.max_time
        return None if limit is None else max(0.0, seconds_of(limit) - self.study.seconds)

    def _has_time(self) -> bool:
        left = self._seconds_left()
        return left is None or left > 0


def _nothing(records: Sequence[Record], ended: str) -> list[Problem]:
    """Return why no candidate could be trained."""
    reasons = [(record.state, record.reason) for record in records if record.reason]
    if not reasons:
        return [Problem(f"no trial came to its end: {ended}", path="tuning", hint="Give it more time.")]
    counts = {key: reasons.count(key) for key in dict.fromkeys(reasons)}
    first = sorted(counts.items(), key=lambda item: -item[1])[:SHOWN_REASONS]
    return [Problem(f"no candidate could be trained: {count} {state}: {reason}", path="tuning")
            for (state, reason), count in first]  # fmt: skip
