"""What `run` and `train` share: from a recipe to a trained model in a run folder."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cnnpipe.bundle.client import refusals
from cnnpipe.bundle.convert import start_dry_export
from cnnpipe.bundle.prediction import unpredicted
from cnnpipe.bundle.workers import Workers
from cnnpipe.cluster import ALONE, Cluster
from cnnpipe.data import LoadedData, load_data
from cnnpipe.diagnosis import all_findings
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.events import Listener
from cnnpipe.examination.examine import examined
from cnnpipe.exporters import FileFacts
from cnnpipe.graph import Graph
from cnnpipe.jobs.results import TrainResult
from cnnpipe.jobs.scoring import keep_scores, measure
from cnnpipe.jobs.trained import LABELS, MODEL, RESOLVED
from cnnpipe.pretrained import Located, load_weights, locate_weights, pinned
from cnnpipe.quantization.aware.network import unfit_layers
from cnnpipe.recipe.compiled import Compiled, compile_recipe, facts_of, gate_warnings, lag_warnings
from cnnpipe.recipe.exports import planned_exports, possible_rungs
from cnnpipe.recipe.feasibility import approve
from cnnpipe.recipe.load import LoadedRecipe
from cnnpipe.recipe.phases import average_warnings, schedule_warnings
from cnnpipe.recipe.resolved import resolved_yaml
from cnnpipe.runs import Run, create_run
from cnnpipe.training import FitResult, InterruptedRun, deployed_model, fit, make_deterministic, save_model

if TYPE_CHECKING:
    import keras

RECIPE, SPLITS = "recipe.yaml", "splits.json"


class Notes(Listener):
    """Passes everything on, and keeps the notes for the record of the run."""

    def __init__(self, listener: Listener) -> None:
        self.texts: list[str] = []
        self.stage, self.progress = listener.stage, listener.progress  # type: ignore[method-assign]
        self._listener = listener

    def note(self, text: str) -> None:
        """Keep the note and pass it on."""
        self.texts.append(text)
        self._listener.note(text)


@dataclass(frozen=True)
class Fitted:
    """A trained model with everything that it came from.

    Args:
        run: Its folder.
        loaded: Its recipe.
        data: Its examples.
        graph: The network that is exported.
        model: That network in Keras, trained.
        result: How the training went.
        notes: Decisions so far.
    """

    run: Run
    loaded: LoadedRecipe
    data: LoadedData
    graph: Graph
    model: keras.Model
    result: FitResult
    notes: Notes


@dataclass(frozen=True)
class Prepared:
    """All that must be right before a run folder is made: a checked recipe, its examples and its networks.

    Args:
        loaded: The recipe.
        data: Its examples.
        graphs: Its networks, which can be exported as the recipe asks.
        trained: The same networks as they are trained.
        weights: What their backbone starts from; None for random weights, and when a training goes on.
    """

    loaded: LoadedRecipe
    data: LoadedData
    graphs: Mapping[str, Graph]
    trained: Mapping[str, Graph]
    weights: Located | None


def prepare(
    loaded: LoadedRecipe, workers: Workers, notes: Notes, runs_folder: str | Path | None, dry: bool = True
) -> Prepared:
    """Find the weights to start from, read the data, and convert the untrained network for every export.

    Args:
        loaded: The recipe.
        workers: The child processes.
        notes: Hears of every decision.
        runs_folder: Where earlier runs lie, from which weights may come; None when a training goes on with its own.
        dry: Whether to try the exports; not needed when a training goes on.

    Raises:
        ProblemError: What the recipe, its data or its exports have wrong.
    """
    _note_warnings(notes, loaded.warnings)
    weights = None
    if runs_folder is not None:
        weights = locate_weights(loaded, runs_folder, notes)
        loaded = pinned(loaded, weights, runs_folder)
    early = None
    if dry and facts_of(loaded).class_names:
        early = _start_dry(loaded, workers, approved(loaded, compile_recipe(loaded), notes))
    notes.stage("reading")
    data = load_data(loaded, notes)
    _note_findings(notes, loaded, data)
    compiled = compile_recipe(loaded, data.facts)
    for decision in loaded.recipe.task.decisions(data.facts):
        notes.note(decision)
    _note_warnings(notes, (
        *compiled.problems,
        *lag_warnings(loaded, compiled.graphs, len(data.splits["training"])),
        *schedule_warnings(loaded, len(data.splits["training"])),
        *average_warnings(loaded, len(data.splits["training"])),
        *gate_warnings(loaded, len(data.splits["validation"])),
    ))  # fmt: skip
    if dry:
        _check_clients(loaded, compiled)
        early = early or _start_dry(loaded, workers, approved(loaded, compiled, notes))
        notes.stage("dry export")
        graph = loaded.recipe.task.deployed(compiled.graphs)
        for export, made in zip(planned_exports(loaded.recipe), _tried(loaded, early), strict=True):
            sure = len(possible_rungs(export)) == 1  # of a ladder, what was tried may be another file
            for note in unpredicted(export, graph, made.operators) if sure else ():
                notes.note(f"{export.name}: {note}")
    return Prepared(loaded, data, compiled.graphs, compiled.trained, weights)


def _check_clients(loaded: LoadedRecipe, compiled: Compiled) -> None:
    """Raise `ProblemError` where the client library of a target cannot take what the recipe makes."""
    task, graph = loaded.recipe.task, loaded.recipe.task.deployed(compiled.graphs)
    if found := list(refusals(planned_exports(loaded.recipe), task, graph, compiled.facts)):
        raise ProblemError(problem.at(loaded.place_of(_path_of(problem))) for problem in found)


def _path_of(problem: Problem) -> tuple[str | int, ...]:
    return tuple(int(part) if part.isdecimal() else part for part in problem.path.split("."))


def begin(prepared: Prepared, runs_folder: str | Path) -> Run:
    """Make the run folder, with the recipe and what the data is. Raises `ProblemError` when it cannot be made."""
    loaded = prepared.loaded
    run = create_run(runs_folder, loaded.name, {"seed": loaded.recipe.seed, "recipe": str(loaded.file)})
    run.write_text(RECIPE, loaded.text)
    run.write_text(RESOLVED, resolved_yaml(loaded))
    _keep_data(run, prepared.data)
    return run


def train_in(run: Run, prepared: Prepared, notes: Notes, resume: bool = False, cluster: Cluster = ALONE) -> Fitted:
    """Train, and write the model into the run folder.

    Args:
        run: The run folder.
        prepared: What is trained.
        notes: Hears of every decision.
        resume: Whether to go on from a checkpoint.
        cluster: The processes that train together, of which this is the chief.

    Raises:
        ProblemError: The training failed, or its data is not that with which it began.
    """
    from cnnpipe.quiet import quiet_tensorflow

    loaded, data = prepared.loaded, prepared.data
    if resume:
        check_data(run, data)
    quiet_tensorflow()
    run.update(deterministic=make_deterministic(loaded.recipe.seed, loaded.recipe.training.deterministic))
    distribution = loaded.recipe.training.distribution
    if distribution and distribution.processes and cluster.size == 1:
        message = f"'{distribution.type}' needs several processes, and this command trains in one"
        raise ProblemError(loaded.located(Problem(message, path="training.distribution", hint="Leave it out.")))
    check_same_data(cluster, data)
    with distribution.scope() if distribution else nullcontext():
        models = build(prepared.trained)
        if prepared.weights is not None:
            run.update(weights=load_weights(prepared.weights, prepared.trained, models))
        result = fit(loaded, data, models, run, notes, resume, cluster)
    model = deployed_model(loaded.recipe.task, prepared.graphs, models)
    save_model(model, run.folder / MODEL)
    return Fitted(run, loaded, data, loaded.recipe.task.deployed(prepared.graphs), model, result, notes)


def check_data(run: Run, data: LoadedData) -> None:
    """Refuse data that is not that of the run. Raises `ProblemError`."""
    if data.fingerprint != run.record().get("data_fingerprint"):
        hint = "Put the data back as it was, or train a new run."
        raise ProblemError(Problem(f"the data changed since {run.reference} began", path="data.source", hint=hint))


def check_same_data(cluster: Cluster, data: LoadedData) -> None:
    """Refuse workers that have other data than the chief. All of them must come here.

    Raises:
        ProblemError: One has.
    """
    for worker, (fingerprint, _) in enumerate(cluster.gather("data", data.fingerprint)):
        if fingerprint != data.fingerprint:
            other = f"worker {worker} has other data than worker {cluster.index}"
            raise ProblemError(Problem(other, path="data.source", hint="Copy the chief's data to each host."))


def finish(fitted: Fitted) -> TrainResult:
    """Measure the model, write its scores and what was decided; return what the training came to."""
    task, result = fitted.loaded.recipe.task, fitted.result
    fitted.notes.stage("evaluating")
    scores = measure(task, fitted.data, fitted.model)
    keep_scores(fitted.run, task, fitted.data, scores)
    fitted.run.update(notes=fitted.notes.texts)
    return TrainResult(
        run=fitted.run.folder,
        metric=task.headline(),
        scores=scores["test"].scores,
        epochs=result.epochs,
        best_epoch=result.best_epoch if fitted.loaded.recipe.training.restore == "best" else result.epochs,
        seconds=result.seconds,
        notes=tuple(fitted.notes.texts),
    )


def stopped(run: Run) -> InterruptedRun:
    """Return what Ctrl-C means outside of training: nothing is half-written, and how the run goes on."""
    trained = (run.folder / MODEL).is_file()
    how = f"cnnpipe export {run.folder}" if trained else f"cnnpipe train --resume {run.folder}"
    what = "the model is trained" if trained else "it goes on from its last checkpoint"
    return InterruptedRun(Problem(f"interrupted; {what}", hint=f"Go on with `{how}`."))


@contextmanager
def recorded(run: Run, notes: Notes) -> Iterator[None]:
    """Keep other processes out of the folder, and record in it how the block ended."""
    with run.locked(notes):
        try:
            yield
        except KeyboardInterrupt:
            run.update("interrupted")
            raise stopped(run) from None
        except ProblemError as error:
            if run.record().get("state") not in ("failed", "interrupted"):
                run.update("failed", problems=[str(problem) for problem in error.problems])
            raise


def approved(loaded: LoadedRecipe, compiled: Compiled, notes: Notes) -> Mapping[str, Graph]:
    """Return the graphs of a recipe whose exports fit their devices, and tell what they are predicted to take."""
    if unfit := list(unfit_layers(loaded.recipe, loaded.recipe.task.deployed(compiled.graphs))):
        raise ProblemError(unfit)
    found = approve(loaded, compiled)
    _note_warnings(notes, found.problems)
    for note in found.notes:
        notes.note(note)
    return compiled.graphs


def _start_dry(loaded: LoadedRecipe, workers: Workers, graphs: Mapping[str, Graph]) -> Future[tuple[FileFacts, ...]]:
    return start_dry_export(planned_exports(loaded.recipe), loaded.recipe.task.deployed(graphs), workers)


def _tried(loaded: LoadedRecipe, early: Future[tuple[FileFacts, ...]]) -> tuple[FileFacts, ...]:
    """Return what the dry export wrote; what is wrong with it stands at its line of the recipe."""
    try:
        return early.result()
    except ProblemError as error:
        raise ProblemError(map(loaded.located, error.problems)) from error


def build(graphs: Mapping[str, Graph]) -> dict[str, keras.Model]:
    """Build the networks as Keras models."""
    from cnnpipe.build import build_model

    return {name: build_model(graph) for name, graph in graphs.items()}


def _keep_data(run: Run, data: LoadedData) -> None:
    run.update(data_fingerprint=data.fingerprint, examples={name: len(split) for name, split in data.splits.items()})
    run.write_json(SPLITS, dict(data.membership))
    if data.facts.class_names is not None:
        run.write_text(LABELS, "".join(f"{name}\n" for name in data.facts.class_names))


def _note_findings(notes: Notes, loaded: LoadedRecipe, data: LoadedData) -> None:
    """Tell what is wrong with the data, as far as that needs no second look at it."""
    found = all_findings(examined(loaded, data), in_run=True)
    for finding in found:
        notes.note(f"data.source: {finding.message}.")
    if found:
        notes.note(f"cnnpipe doctor {shlex.quote(str(loaded.file))} says what to do about the data, and looks closer")


def _note_warnings(notes: Notes, problems: tuple[Problem, ...]) -> None:
    for problem in problems:
        notes.note(str(problem))
