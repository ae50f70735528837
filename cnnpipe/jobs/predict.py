"""Ask a model about files: the Keras model of a run, or the file of a bundle, which needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cnnpipe.bundle.open import open_bundle
from cnnpipe.jobs.given_files import given_files
from cnnpipe.jobs.results import PredictResult
from cnnpipe.jobs.trained import bundle_folder, open_trained


def predict(
    model: str | Path, files: str | Path | Sequence[str | Path], runs_folder: str | Path = Path("runs")
) -> PredictResult:
    """Return what a model says about files.

    Args:
        model: A run (a folder, a name and number, or a name: its newest run), or a bundle folder.
        files: Files, folders and patterns; or one of them.
        runs_folder: Where names of runs are looked up.

    Raises:
        ProblemError: There is no such model, or a file is not there or cannot be read; names each.
    """
    found = given_files(files)
    if folder := bundle_folder(model):
        with open_bundle(folder) as bundle:
            return PredictResult(found, bundle.predict(found))
    return PredictResult(found, open_trained(model, runs_folder).predict(found))
