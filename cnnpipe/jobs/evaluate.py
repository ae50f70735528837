"""Measure a run's model, or an exported file, on one split of its data."""

from __future__ import annotations

from pathlib import Path

from cnnpipe.bundle.open import open_bundle
from cnnpipe.data import SplitData, load_data
from cnnpipe.datasets import SPLITS, SplitName
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.evaluation import evaluate as measured
from cnnpipe.events import Listener
from cnnpipe.jobs.results import EvaluateResult
from cnnpipe.jobs.trained import bundle_folder, open_trained
from cnnpipe.runs import RECORD
from cnnpipe.task import Arrays


def evaluate(
    model: str | Path,
    split: SplitName = "test",
    runs_folder: str | Path = Path("runs"),
    listener: Listener | None = None,
) -> EvaluateResult:
    """Measure a model on the data of its run.

    Args:
        model: A run (a folder, a name and number, or a name: its newest run), or the bundle folder of a run.
        split: Which part of the data.
        runs_folder: Where names of runs are looked up.
        listener: Hears what is going on.

    Raises:
        ProblemError: There is no such model or split, the data is gone or changed its classes, or the bundle is not in
            the folder of its run, which knows the data.
    """
    if split not in SPLITS:
        raise ProblemError(Problem(f"there is no split '{split}'", hint=f"Splits are {', '.join(SPLITS)}."))
    listener = listener or Listener()
    bundle = bundle_folder(model)
    trained = open_trained(_run_of(bundle), runs_folder) if bundle else open_trained(model, runs_folder)
    listener.stage("reading")
    data = load_data(trained.loaded, listener, exact=True)
    if data.facts.class_names != trained.facts.class_names:
        raise ProblemError(Problem("the classes of the data are no longer those of the training", path="data.source"))
    if data.fingerprint != trained.run.record().get("data_fingerprint"):
        listener.note(f"the data changed since {trained.run.reference} began: its scores were of other examples")
    listener.stage("evaluating")
    task, examples = trained.loaded.recipe.task, data.splits[split]
    outputs = _bundle_outputs(bundle, examples) if bundle else trained.outputs(examples.inputs)
    scores = measured(task, outputs, examples, data.facts).scores
    return EvaluateResult(split, task.headline(), scores)


def _bundle_outputs(folder: Path, examples: SplitData) -> Arrays:
    with open_bundle(folder) as bundle:
        return bundle.outputs(examples.inputs)


def _run_of(bundle: Path) -> Path:
    run = bundle.resolve().parent.parent
    if not (run / RECORD).is_file():
        hint = "Evaluate it inside its run folder, or ask it about files with: cnnpipe predict."
        raise ProblemError(Problem(f"{bundle} is not in the folder of its run, which knows the data", hint=hint))
    return run
