"""A search in this process: its study, its oracle, and its candidates as tables show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cnnpipe import files
from cnnpipe.algorithms import Search
from cnnpipe.durations import seconds_of
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.events import Listener
from cnnpipe.jobs.compiling import opened as listed
from cnnpipe.recipe.load import LoadedRecipe
from cnnpipe.recipe.schema import Tuning
from cnnpipe.recipe.space import Space
from cnnpipe.recipe.space_problems import space_problems
from cnnpipe.report.tuning import csv_text
from cnnpipe.tuning.chief import Chief
from cnnpipe.tuning.judging import Judge
from cnnpipe.tuning.records import MEASURED, Objectives, Record
from cnnpipe.tuning.study import Study
from cnnpipe.tuning.trainer import prune

TABLE = "trials.csv"


class TuneListener(Listener):
    """Hears what a search does. This one is silent."""

    def trials(self, records: Sequence[Record], objectives: Objectives, limit: int | None) -> None:
        """Hear of all candidates so far, whenever one of them begins or ends, and how many there may be."""

    def epoch(self, number: str, done: int, total: int, values: Mapping[str, float]) -> None:
        """Hear how many epochs of a trial are done, with the values of the last one."""


def checked(loaded: LoadedRecipe) -> Tuning:
    """Return the section `tuning` of a recipe. Raises `ProblemError`: there is none, or its space is wrong."""
    if loaded.recipe.tuning is None:
        hint = "Write one: tuning: {max_trials: 20, space: {training.batch_size: {type: choice, values: [32, 64]}}}"
        raise ProblemError(Problem("the recipe has no section 'tuning'", loaded.place_of(()), "tuning", hint))
    problems = space_problems(loaded)
    if any(problem.severity == "error" for problem in problems):
        raise ProblemError(problems)
    return loaded.recipe.tuning


class Searching:
    """A search.

    Args:
        loaded: A recipe with a section `tuning` that was checked.
        study: Its study, opened.
        listener: Hears of trials.
    """

    def __init__(self, loaded: LoadedRecipe, study: Study, listener: TuneListener) -> None:
        assert loaded.recipe.tuning is not None  # noqa: S101
        task = loaded.recipe.task
        self.tuning, self.study, self.space, self._listener = loaded.recipe.tuning, study, Space(loaded), listener
        names = task.known_class_names() or loaded.recipe.data.source.class_names() or listed(loaded).class_names
        self._judge = Judge(self.space, names)
        self.objectives = Objectives(self.tuning.objectives, task.headline())
        self.oracle = self._oracle(loaded)
        self.chief = Chief(
            self.oracle, study.definition, self._seconds_left, study.check_data, lambda number: self._tell(),
            self._ended, listener.epoch, listener.note,
        )  # fmt: skip
        study.search_begins()

    def why_over(self) -> str:
        """Return why the search ended."""
        if self.may_go_on():
            return f"max_time of {self.tuning.max_time} is used up"
        done = len(self.oracle.trials)
        return f"{done} trials are done" if done == self.tuning.max_trials else "there are no other candidates"

    def may_go_on(self) -> bool:
        """Whether only time is missing."""
        return self._seconds_left() == 0

    def records(self) -> tuple[Record, ...]:
        """Return all candidates so far."""
        trained = [self._record(trial) for trial in self.oracle.trials.values()]
        return (*trained, *(
            Record("", "rejected", self.space.labels(found["values"]), found["values"], {}, reason=found["reason"])
            for found in self.oracle.rejected
        ))  # fmt: skip

    def _record(self, trial: Any) -> Record:
        codes, outcome = trial.hyperparameters.values, self.oracle.outcomes.get(trial.trial_id, {})
        objectives = {name: outcome[name] for name in MEASURED if name in outcome}
        objectives |= self._judge(codes).figures
        state = {"COMPLETED": "completed", "FAILED": "failed"}.get(trial.status, "running")
        return Record(
            trial.trial_id, state, self.space.labels(codes), codes, objectives,  # type: ignore[arg-type]
            int(outcome["epochs"]) if "epochs" in outcome else None, outcome.get("seconds"), outcome.get("reason", ""),
        )  # fmt: skip

    def _oracle(self, loaded: LoadedRecipe) -> Any:
        from cnnpipe.quiet import quiet_tensorflow

        self._listener.stage("starting KerasTuner")
        quiet_tensorflow()
        from keras_tuner.src.engine.conditions import Parent

        tuned = [
            parameter.spec.tuned(
                parameter.name, [Parent(name, list(known)) for name, known in parameter.parents.items()]
            )
            for parameter in self.space.parameters
        ]
        recipe = loaded.recipe
        oracle = self.tuning.algorithm.oracle(Search(
            tuned, recipe.seed, self.tuning.max_trials, recipe.training.total_epochs,
            lambda codes: self._judge(codes).reason, self._costs, self.study.keep,
        ))  # fmt: skip
        if self.study.state is not None:
            oracle.set_state(self.study.state)
        return oracle

    def _costs(self, number: str) -> tuple[float, ...]:
        figures = self._judge(self.oracle.trials[number].hyperparameters.values).figures
        return self.objectives.costs({**self.oracle.outcomes[number], **figures})

    def _ended(self, number: str) -> None:
        done = self.oracle.end_order
        prune(self.study.trials, done, self.oracle.continuable())
        files.write_text(self.study.folder / TABLE, csv_text(self.records(), self.space, self.objectives))
        self._tell()

    def _tell(self) -> None:
        self._listener.trials(self.records(), self.objectives, self.tuning.max_trials)

    def _seconds_left(self) -> float | None:
        limit = self.tuning.max_time
        return None if limit is None else max(0.0, seconds_of(limit) - self.study.seconds)
