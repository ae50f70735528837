"""What `run`, `train` and `export` share: the scores of a run, measured and kept in its folder."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cnnpipe.data import LoadedData
from cnnpipe.evaluation import Evaluation, caller, evaluate
from cnnpipe.jobs.results import HEADLINE, headline_record, scores_as_json
from cnnpipe.report.figures import drawn
from cnnpipe.report.mistakes import Shown, mistakes_sheet
from cnnpipe.runs import Run
from cnnpipe.task import Task

if TYPE_CHECKING:
    import keras

    from cnnpipe.datasets import SplitName

SCORES, EXAMPLE_SCORES, FIGURES = "scores.json", "example_scores.csv", "figures"
MISTAKES = "mistakes.png"
"""Examples of the validation split over which is drawn what is wrong with the answers."""


def measure(task: Task, data: LoadedData, model: keras.Model) -> dict[SplitName, Evaluation]:
    """Measure a Keras model on the validation and the test split. To be called after all decisions."""
    call = caller(model, task.signature(data.facts))
    splits: tuple[SplitName, ...] = ("validation", "test")
    return {
        split: evaluate(task, task.answer(call, data.splits[split].inputs, data.facts), data.splits[split], data.facts)
        for split in splits
    }


def kept_scores(run: Run) -> dict[str, Any]:
    """Return what `scores.json` holds; empty while nothing is measured."""
    return dict(run.read_json(SCORES)) if (run.folder / SCORES).is_file() else {}


def is_measured(run: Run) -> bool:
    """Whether the scores of the model are kept: not when the run was stopped between training and its end."""
    return "test" in kept_scores(run)


def keep_scores(run: Run, task: Task, data: LoadedData, scores: Mapping[SplitName, Evaluation]) -> None:
    """Write scores by split beside those of exports, those of each example, the test split's headline and figures."""
    test = scores["test"].scores
    plain = {split: scores_as_json(evaluation.scores) for split, evaluation in scores.items()}
    run.write_json(SCORES, {**kept_scores(run), **plain})
    run.write_text(EXAMPLE_SCORES, _example_scores(data, scores))
    for name, content in drawn(task.figures(test, data.facts)).items():
        run.write_bytes(f"{FIGURES}/{name}", content)
    if sheet := _mistakes(task, data, scores["validation"]):
        run.write_bytes(f"{FIGURES}/{MISTAKES}", sheet)
    record: dict[str, Any] = {HEADLINE: headline_record(task.headline(), test)}
    run.update(**record)


def _mistakes(task: Task, data: LoadedData, evaluation: Evaluation) -> bytes | None:
    """Return the picture of what a task finds worst on the validation split, None where there is nothing to draw."""
    split = data.splits["validation"]
    found = task.mistakes(split.targets, evaluation.predictions, data.facts)
    keys = task.signature(data.facts).inputs
    pictures = [split.inputs[name] for name, key in keys.items() if key == data.facts.preprocessing.key]
    if not found or not pictures:
        return None
    return mistakes_sheet([Shown(pictures[0][one.row], split.names[one.row], one) for one in found])


def _example_scores(data: LoadedData, scores: Mapping[SplitName, Evaluation]) -> str:
    """Return a table with the headline metric of each example, without rows where a task has none."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("example", "split", "score"))
    for split, evaluation in scores.items():
        if evaluation.example_scores is not None:
            for name, score in zip(data.splits[split].names, evaluation.example_scores.tolist(), strict=True):
                rows.writerow((name, split, f"{score:.9g}"))
    return text.getvalue()


def keep_exports(run: Run, exports: Mapping[str, Any]) -> None:
    """Write the scores of exports, by bundle, beside what is kept already."""
    kept = kept_scores(run)
    run.write_json(SCORES, {**kept, "exports": {**kept.get("exports", {}), **exports}})
