"""Ask a model about files: the Keras model of a run, or the file of a bundle, which needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cnnpipe.bundle.open import open_bundle
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.jobs.given_files import given_files
from cnnpipe.jobs.results import PredictResult
from cnnpipe.jobs.trained import bundle_folder, open_trained
from cnnpipe.preprocessing.image import opaque_picture
from cnnpipe.task import Facts, Prediction, Task


def predict(
    model: str | Path,
    files: str | Path | Sequence[str | Path],
    runs_folder: str | Path = Path("runs"),
    draw: str | Path | None = None,
) -> PredictResult:
    """Return what a model says about files.

    Args:
        model: A run (a folder, a name and number, or a name: its newest run), or a bundle folder.
        files: Files, folders and patterns; or one of them.
        runs_folder: Where names of runs are looked up.
        draw: Folder for pictures with what the model says drawn over them; it is made when it is not there.

    Raises:
        ProblemError: There is no such model, or a file is not there or cannot be read; names each. Or the model's task
            has nothing to draw.
    """
    found = given_files(files)
    if folder := bundle_folder(model):
        with open_bundle(folder) as bundle:
            predictions, task, facts = bundle.predict(found), bundle.task, bundle.facts
    else:
        trained = open_trained(model, runs_folder)
        predictions, task, facts = trained.predict(found), trained.loaded.recipe.task, trained.facts
    pictures = () if draw is None else _drawn(found, predictions, task, facts, Path(draw))
    return PredictResult(found, predictions, pictures)


def _drawn(
    found: Sequence[Path], predictions: Sequence[Prediction], task: Task, facts: Facts, folder: Path
) -> tuple[Path, ...]:
    """Write the pictures with their annotations; files of the same name get a number."""
    from cnnpipe.report.annotated_picture import annotated_picture

    folder.mkdir(parents=True, exist_ok=True)
    made: list[Path] = []
    for file, prediction in zip(found, predictions, strict=True):
        annotations = task.annotations(prediction, facts)
        if annotations is None:
            raise ProblemError(Problem(f"the task '{task.type}' says nothing that could be drawn over a picture"))
        picture = annotated_picture(np.asarray(opaque_picture(file.read_bytes())), annotations)
        name = folder / f"{file.stem}.png"
        name = name if name not in made else folder / f"{file.stem}_{len(made)}.png"
        picture.save(name)
        made.append(name)
    return tuple(made)
