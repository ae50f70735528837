"""Train a model and measure it, without exporting; or go on with a training that was stopped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cnnpipe.bundle.workers import Workers
from cnnpipe.cluster import Cluster
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.events import Listener
from cnnpipe.jobs import fitting
from cnnpipe.jobs.results import TrainResult
from cnnpipe.jobs.scoring import is_measured
from cnnpipe.jobs.trained import MODEL, RESOLVED
from cnnpipe.jobs.workers import gathered, with_workers
from cnnpipe.recipe.difference import Difference, shown
from cnnpipe.recipe.load import LoadedRecipe, load_recipe
from cnnpipe.recipe.resolved import resolved_again
from cnnpipe.runs import Run, open_run
from cnnpipe.training import allowed_changes, progress_of, stretched_schedule
from cnnpipe.training.checkpoints import has_state


def train(
    recipe: str | Path | LoadedRecipe,
    overrides: Sequence[str] = (),
    runs_folder: str | Path = Path("runs"),
    listener: Listener | None = None,
    workers: int | None = None,
    listen: str | None = None,
) -> TrainResult:
    """Train a recipe's model in a new run folder, and measure it on the test split.

    Args:
        recipe: A recipe file, the name of a shipped recipe, or a loaded recipe.
        overrides: Changes such as `training.epochs=30`.
        runs_folder: Where all runs lie.
        listener: Hears what is going on.
        workers: Processes that train together; None for what `training.distribution` says.
        listen: HOST:PORT where all but this one `join` from elsewhere; None to start them on this host.

    Raises:
        ProblemError: The recipe or its data is not usable; names all problems.
        InterruptedRun: Ctrl-C; the training can go on with `resume`.
        WorkerLost: Another process is gone; the training can go on with `resume`.
    """
    notes = fitting.Notes(listener or Listener())
    loaded = load_recipe(recipe, with_workers(overrides, workers))
    with gathered(loaded, notes, runs_folder, listen) as cluster:
        with Workers() as converters:
            prepared = fitting.prepare(loaded, converters, notes, runs_folder)
        run = fitting.begin(prepared, runs_folder)
        with fitting.recorded(run, notes):
            return _train(run, prepared, notes, False, cluster)


def resume(
    run: str | Path,
    runs_folder: str | Path = Path("runs"),
    listener: Listener | None = None,
    overrides: Sequence[str] = (),
    workers: int | None = None,
    listen: str | None = None,
) -> TrainResult:
    """Go on with a training that was killed or stopped, with the same result as if it had not been.

    Args:
        run: A run folder, a name and number, or a name: its newest run.
        runs_folder: Where names are looked up.
        listener: Hears what is going on.
        overrides: Changes that no earlier step depends on, such as `training.epochs=30`; recorded in `run.json`.
        workers: Processes that train together; None for as many as before.
        listen: HOST:PORT where all but this one `join` from elsewhere; None to start them on this host.

    Raises:
        ProblemError: There is no such run, it is done, its data changed, or earlier steps depend on a change.
        WorkerLost: Another process is gone.
    """
    notes = fitting.Notes(listener or Listener())
    opened = open_run(run, runs_folder)
    if (opened.folder / MODEL).is_file() and is_measured(opened):
        hint = f"Write its files with: cnnpipe export {opened.folder}"
        if overrides:
            hint = (
                f"Train a new run with these values, or one that begins with its weights: {{run: {opened.reference}}}."
            )
        raise ProblemError(Problem(f"{opened.folder} is trained; there is nothing to go on with", hint=hint))
    before = load_recipe(opened.folder / RESOLVED)
    loaded = load_recipe(opened.folder / RESOLVED, with_workers(overrides, workers))
    progress = progress_of(opened)
    changes = allowed_changes(before, loaded, progress)
    with (
        fitting.recorded(opened, notes),
        gathered(loaded, notes, runs_folder, listen) as cluster,
        Workers() as converters,
    ):
        _record(opened, loaded, changes, progress.step, notes)
        if stretched := stretched_schedule(before, loaded, progress):
            notes.note(stretched)
        weights_from = None if has_state(opened) else runs_folder  # a checkpoint has all weights
        prepared = fitting.prepare(loaded, converters, notes, weights_from, dry=False)
        return _train(opened, prepared, notes, True, cluster)


def _record(run: Run, loaded: LoadedRecipe, changes: Sequence[Difference], step: int, notes: fitting.Notes) -> None:
    """Write into the run with which changes its training goes on after this step."""
    if not changes:
        return
    record = [{"step": step, "path": c.path, "old": shown(c.old), "new": shown(c.new)} for c in changes]
    run.update(changes=[*run.record().get("changes", []), *record])
    run.write_text(RESOLVED, resolved_again(loaded, run.read_text(RESOLVED)))
    for change in changes:
        notes.note(f"Changed after step {step}: {change}")


def _train(run: Run, prepared: fitting.Prepared, notes: fitting.Notes, resumed: bool, cluster: Cluster) -> TrainResult:
    fitted = fitting.train_in(run, prepared, notes, resumed, cluster)
    return fitting.finish(fitted)
