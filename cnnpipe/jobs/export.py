"""Export a trained run again, to the files of its recipe or to one that is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cnnpipe.bundle.workers import Workers
from cnnpipe.data import load_data
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.events import Listener
from cnnpipe.jobs import exporting, fitting, scoring
from cnnpipe.jobs.export_item import load_with_item
from cnnpipe.jobs.results import ExportsResult
from cnnpipe.jobs.trained import MODEL, RESOLVED, Trained, open_trained
from cnnpipe.recipe.compiled import compile_recipe
from cnnpipe.recipe.exports import planned_exports
from cnnpipe.recipe.load import LoadedRecipe


def export(
    run: str | Path,
    item: Mapping[str, Any] | None = None,
    runs_folder: str | Path = Path("runs"),
    listener: Listener | None = None,
) -> ExportsResult:
    """Write the files of an earlier run, each opened, run, compared with the Keras model and measured.

    Args:
        run: A run folder, a name and number, or a name: its newest run.
        item: One item as in a recipe's `export` list, in the place of those of the run's recipe. Here `target` is
            `generic` when left out, and `board` may name a board: the target is then its family.
        runs_folder: Where names are looked up.
        listener: Hears what is going on.

    Raises:
        ProblemError: There is no such run, its data is gone or changed, a file cannot be made, or its device cannot
            run it.
    """
    notes = fitting.Notes(listener or Listener())
    trained = open_trained(run, runs_folder)
    loaded = load_with_item(trained.run.folder / RESOLVED, item) if item else trained.loaded
    exports = planned_exports(loaded.recipe)
    if not exports:
        raise ProblemError(Problem(f"the recipe of {trained.run.reference} has no export", hint="Give --quantization."))
    with trained.run.locked(notes), Workers() as workers:
        try:
            source = open_source(trained, loaded, notes)
            files = exporting.export_files(exports, source, workers, notes)
            scoring.keep_exports(trained.run, files.scores)
            if not scoring.is_measured(trained.run):  # stopped by Ctrl-C or a kill after its training
                notes.stage("evaluating")
                task = loaded.recipe.task
                scoring.keep_scores(trained.run, task, source.data, scoring.measure(task, source.data, source.model))
        except KeyboardInterrupt:
            raise fitting.stopped(trained.run) from None
        trained.run.update("exported" if files.result.passed else "failed")
    return _unplaced(files.result) if item else files.result


def open_source(trained: Trained, loaded: LoadedRecipe, notes: fitting.Notes) -> exporting.Source:
    """Read the data of an earlier run and open its model.

    Raises:
        ProblemError: The data is gone or changed, or no device of the recipe could run the files.
    """
    from cnnpipe.quiet import quiet_tensorflow
    from cnnpipe.safe_model import load_keras

    notes.stage("reading")
    data = load_data(loaded, notes)
    fitting.check_data(trained.run, data)
    graph = loaded.recipe.task.deployed(fitting.approved(loaded, compile_recipe(loaded, data.facts), notes))
    quiet_tensorflow()
    return exporting.Source(trained.run, loaded, data, graph, load_keras(trained.run.folder / MODEL))


def _unplaced(result: ExportsResult) -> ExportsResult:
    """Return the result with problems that point nowhere: no recipe says what was asked for."""
    return replace(result, exports=tuple(
        replace(one, problems=tuple(replace(problem, place=None, path="") for problem in one.problems))
        for one in result.exports
    ))  # fmt: skip
