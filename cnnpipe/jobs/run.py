"""Train, measure, export and prove: the main job."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from cnnpipe.bundle.workers import Workers
from cnnpipe.events import Listener
from cnnpipe.jobs import exporting, fitting, scoring
from cnnpipe.jobs.results import RunResult
from cnnpipe.jobs.workers import gathered, with_workers
from cnnpipe.recipe.exports import planned_exports
from cnnpipe.recipe.load import LoadedRecipe, load_recipe


def run(
    recipe: str | Path | LoadedRecipe,
    overrides: Sequence[str] = (),
    runs_folder: str | Path = Path("runs"),
    listener: Listener | None = None,
    workers: int | None = None,
) -> RunResult:
    """Turn a recipe into a trained model and proven files, in a new run folder.

    Args:
        recipe: A recipe file, the name of a shipped recipe, or a loaded recipe.
        overrides: Changes such as `training.epochs=30`.
        runs_folder: Where all runs lie.
        listener: Hears what is going on.
        workers: Processes of this host that train together; None for what `training.distribution` says.

    Returns:
        What was measured. A file that breaks a promise of the recipe raises nothing: see `RunResult.passed`.

    Raises:
        ProblemError: The recipe or its data is not usable, or an export cannot be made; names all problems.
        InterruptedRun: Ctrl-C while training; it can go on with `resume`.
        WorkerLost: Another process is gone; the training can go on with `resume`.
    """
    notes = fitting.Notes(listener or Listener())
    loaded = load_recipe(recipe, with_workers(overrides, workers))
    with gathered(loaded, notes, runs_folder) as cluster, Workers() as converters, ExitStack() as stack:
        prepared = fitting.prepare(loaded, converters, notes, runs_folder)
        folder = fitting.begin(prepared, runs_folder)
        stack.enter_context(fitting.recorded(folder, notes))
        fitted = fitting.train_in(folder, prepared, notes, cluster=cluster)
        subject = exporting.Source(folder, loaded, fitted.data, fitted.graph, fitted.model)
        exported = exporting.export_files(planned_exports(loaded.recipe), subject, converters, notes)
        scoring.keep_exports(folder, exported.scores)
        training = fitting.finish(fitted)
        folder.update("exported" if exported.result.passed else "failed")
    return RunResult(training, exported.result)
