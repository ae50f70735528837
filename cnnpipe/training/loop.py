"""The one training path: plain Keras `fit` over batches that are a function of the step."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnpipe.batches import training_batches
from cnnpipe.build import refresh, with_outputs
from cnnpipe.cluster import ALONE, Cluster, WorkerLost
from cnnpipe.data import LoadedData
from cnnpipe.distributions import Distribution
from cnnpipe.errors import ProblemError
from cnnpipe.evaluation import caller, headline_value
from cnnpipe.events import Listener
from cnnpipe.frozen_features import PhaseData, phase_data
from cnnpipe.graph import Graph
from cnnpipe.graph.nodes.normalization import BatchNormalization
from cnnpipe.recipe.load import LoadedRecipe
from cnnpipe.recipe.schema import Phase
from cnnpipe.runs import Run
from cnnpipe.task import Task
from cnnpipe.training import history
from cnnpipe.training.averages import averages, set_to_averages
from cnnpipe.training.board import Board
from cnnpipe.training.checkpoints import (
    Checkpoint,
    assign,
    further_variables,
    load_state,
    progress_of,
    restore_best,
)
from cnnpipe.training.interrupt import InterruptedRun, deferred_interrupt
from cnnpipe.training.keeper import Keeper
from cnnpipe.training.pace import Pace, choose_pace
from cnnpipe.training.phases import make_optimizer, set_trainable
from cnnpipe.training.precision import FLOAT32, computing_in
from cnnpipe.training.progress import Progress
from cnnpipe.training.sharing import shared_state

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class FitResult:
    """What a training was.

    Args:
        history: One row per epoch, as in `history.csv`.
        best_epoch: Epoch with the best headline metric on the validation split, counted from 1.
        epochs: Epochs trained; fewer than the recipe says after early stopping.
        seconds: Time spent training, over all processes.
    """

    history: tuple[Mapping[str, Any], ...]
    best_epoch: int
    epochs: int
    seconds: float


def fit(
    loaded: LoadedRecipe,
    data: LoadedData,
    models: Mapping[str, keras.Model],
    run: Run,
    listener: Listener,
    resume: bool = False,
    cluster: Cluster = ALONE,
) -> FitResult:
    """Train, and leave the weights that `training.restore` asks for in `models`.

    `make_deterministic` must come before the models are built. Checkpoints are written at the end of every epoch, of
    very short epochs once a second, and inside of long ones.

    Args:
        loaded: The recipe.
        data: Its examples.
        models: The networks by name, freshly built.
        run: Where history and checkpoints go; its state becomes `training`, then `trained`, `interrupted` or `failed`.
        listener: Hears of notes and progress.
        resume: Go on from the last checkpoint, if there is one, with the same result as if there had been no stop.
        cluster: The processes that train together, of which this is the chief.

    Raises:
        InterruptedRun: Ctrl-C; the state is saved.
        WorkerLost: Another process is gone.
        ProblemError: The loss is not a number, the folder cannot be written, the checkpoint is of another network.
    """
    run.update("training")
    try:
        result = _fit(loaded, data, models, run, listener, resume, cluster)
    except InterruptedRun:
        run.update("interrupted")
        raise
    except WorkerLost as lost:
        run.update("interrupted")
        raise _with_way_on(lost, run) from lost.__cause__
    except ProblemError as error:
        with suppress(ProblemError):  # a full disk may be the reason
            run.update("failed", problems=[str(problem) for problem in error.problems])
        raise ProblemError(_placed(loaded, error)) from error
    run.update("trained", best_epoch=result.best_epoch, epochs=result.epochs, training_seconds=round(result.seconds, 3))
    return result


def follow(
    loaded: LoadedRecipe, data: LoadedData, models: Mapping[str, keras.Model], runs_folder: Path, cluster: Cluster
) -> int:
    """Train with a chief, who does all that is done once; nothing is written but features below the runs folder.

    Returns:
        The number of epochs.

    Raises:
        WorkerLost: The chief is gone.
        InterruptedRun: The user stopped the training.
    """
    nowhere = Run(runs_folder / loaded.name / "0000")
    return _fit(loaded, data, models, nowhere, Listener(), False, cluster).epochs


def _with_way_on(lost: WorkerLost, run: Run) -> WorkerLost:
    step = progress_of(run).step
    kept = f"everything up to step {step} is saved" if step else "nothing was saved yet"
    hint = f"Go on with `cnnpipe train --resume {run.folder}`."
    return WorkerLost(replace(p, message=f"{p.message}; {kept}", hint=hint) for p in lost.problems)


def deployed_model(task: Task, networks: Mapping[str, Graph], models: Mapping[str, keras.Model]) -> keras.Model:
    """Return the model of the graph that is exported, without what only the trained `models` have."""
    deployed = task.deployed(networks)
    return with_outputs(models[_name_of(deployed, networks)], deployed.outputs)


def _name_of(deployed: Graph, networks: Mapping[str, Graph]) -> str:
    return next(name for name, graph in networks.items() if graph is deployed)


@dataclass(frozen=True)
class _Job:
    """What all phases of a training share; `graphs` are those of the networks as they are trained."""

    loaded: LoadedRecipe
    data: LoadedData
    networks: Mapping[str, Graph]
    graphs: Mapping[str, Graph]
    models: Mapping[str, keras.Model]
    network: keras.Model
    run: Run
    listener: Listener
    interrupted: Callable[[], bool]
    board: Board | None
    progress: Progress
    cluster: Cluster

    @property
    def whole(self) -> Graph:
        """The graph that is exported, as it is trained."""
        return self.graphs[_name_of(self.loaded.recipe.task.deployed(self.networks), self.networks)]


def _fit(
    loaded: LoadedRecipe,
    data: LoadedData,
    models: Mapping[str, keras.Model],
    run: Run,
    listener: Listener,
    resume: bool,
    cluster: Cluster,
) -> FitResult:
    task, training = loaded.recipe.task, loaded.recipe.training
    networks = task.networks(loaded.recipe.model, data.facts, loaded.place_of)
    graphs = task.training_networks(networks, loaded.recipe.model, data.facts, loaded.place_of)
    network = task.training_model(models)
    saved = shared_state(cluster, network, load_state(run) if resume else None, run)
    progress = saved.progress if saved else Progress()
    with deferred_interrupt() as interrupted, ExitStack() as stack:
        board = None
        if cluster.chief:
            board = stack.enter_context(closing(Board(run, history.keep_until(run, progress.epochs))))
        job = _Job(
            loaded, data, networks, graphs, models, network, run, listener, interrupted, board, progress, cluster
        )
        _note_parts(job)
        try:
            _train_phases(job, saved)
        except Exception as error:
            raise cluster.explained(error) from error
    set_trainable(graphs, models, None)
    if cluster.chief and training.restore == "best":
        restore_best(run, network)
    rows = history.read_rows(run.folder / history.NAME)
    return FitResult(tuple(rows), progress.best_epoch, progress.epochs, progress.seconds)


def _train_phases(job: _Job, saved: Checkpoint | None) -> None:
    training, progress, listener = job.loaded.recipe.training, job.progress, job.listener
    while True:
        keeper = _train_phase(job, training.parts[progress.phase], saved)
        saved = None
        _note_early_stop(keeper, listener)
        last = progress.phase + 1 == len(training.parts)
        if keeper.time_is_up and not (last and progress.phase_epochs >= keeper.phase.epochs):
            listener.note(f"Stopped after epoch {progress.epochs} of {training.total_epochs}: max_time is used up")
            break
        if last:
            break
        progress.next_phase()


def _train_phase(job: _Job, phase: Phase, saved: Checkpoint | None) -> Keeper:
    """Train one phase to its end, or what is left of it; leave its weights in the network."""
    recipe, progress, listener = job.loaded.recipe, job.progress, job.listener
    if saved:  # before features of frozen layers are computed
        assign(job.network.variables, saved.network, job.run)
        refresh(job.network)  # and before anything is traced
    set_trainable(job.graphs, job.models, phase)
    listener.stage(f"training {phase.name}" if recipe.training.phases else phase.name)
    runs_folder = job.run.folder.parent.parent
    if not job.cluster.chief:  # the chief computes features of frozen layers; on its host they are there then
        job.cluster.gather("features")
    part = phase_data(phase, job.loaded, job.data, job.whole, job.network, runs_folder, listener, job.interrupted)
    if job.cluster.chief:
        job.cluster.gather("features")
    if progress.pace is None:
        progress.pace = _pace(job, phase, part)
    progress.pace = _possible(progress.pace, recipe.training.distribution, listener)
    _note_pace(progress.pace, len(part.training), recipe.training.batch_size, listener)
    with computing_in(recipe.training.precision, part.model, _ends(part.graph)):
        rate = _compile(job, phase, part, progress.pace)
        if saved:
            _restore(job, part, saved)
        keeper = Keeper(
            job.network, part.model, job.run, progress, recipe.training, recipe.task.headline(), _validation(job, part),
            rate, listener, job.interrupted, job.board, saved.sums if saved else (), job.cluster,
        )  # fmt: skip
        _train(job, part, keeper)
    set_to_averages(part.model)
    return keeper


def _train(job: _Job, part: PhaseData, keeper: Keeper) -> None:
    """Call `fit`: once, or after a stop inside an epoch first to its end, then for the others."""
    progress, pace, end = keeper.progress, keeper.pace, keeper.phase.epochs
    keeper.agree()
    for last in (progress.phase_epochs + 1, end) if progress.epoch_step else (end,):
        if keeper.finished() and progress.epochs:  # where no epoch was judged yet there is nothing to end with
            return
        left = pace.steps_per_epoch - progress.epoch_step
        steps = left + (last - progress.phase_epochs - 1) * pace.steps_per_epoch
        part.model.fit(
            _batches(job, part, progress.step, progress.step + steps),
            initial_epoch=progress.phase_epochs, epochs=last, steps_per_epoch=left,
            shuffle=False, verbose=0, callbacks=[keeper.callback()],
        )  # fmt: skip
        if averages(part.model) and not keeper.finished():  # `fit` left the averages
            keeper.put_back_weights()


def _batches(job: _Job, part: PhaseData, start: int, stop: int) -> Any:
    recipe, task = job.loaded.recipe, job.loaded.recipe.task
    return training_batches(
        part.training, recipe.training.batch_size, recipe.seed, start, stop, part.augmentation, part.views,
        keys=task.augmented, soften=lambda targets: task.soft_labels(targets, job.data.facts),
        by_output=task.training_targets, part=(job.cluster.index, job.cluster.size),
    )  # fmt: skip


def _pace(job: _Job, phase: Phase, part: PhaseData) -> Pace:
    training = job.loaded.recipe.training
    return choose_pace(
        job.graphs.values() if part.graph is job.whole else [part.graph], len(part.training), training.batch_size,
        training.optimizer_of(phase).gradient_accumulation_steps or 1, phased=bool(training.phases),
    )  # fmt: skip


def _possible(pace: Pace, distribution: Distribution | None, listener: Listener) -> Pace:
    """Return a pace that a distribution can keep; an epoch is as long as without it."""
    if distribution is None or not distribution.one_step_per_call or pace.steps_per_execution == 1:
        return pace
    together = pace.steps_per_execution
    listener.note(f"TensorFlow takes one step per call, not {together}: '{distribution.type}' cannot take several")
    return replace(pace, steps_per_execution=1)


def _ends(graph: Graph) -> list[str]:
    """Return the names of the layers whose outputs the loss reads."""
    return [graph.nodes[position].name for position in graph.outputs.values()]


def _compile(job: _Job, phase: Phase, part: PhaseData, pace: Pace) -> Callable[[], float]:
    """Compile for training; return what tells the last learning rate.

    On a CPU compiled kernels (XLA) are slower, so they are left to accelerators.
    """
    import tensorflow as tf

    task, facts = job.loaded.recipe.task, job.data.facts
    optimizer, rate = make_optimizer(job.loaded.recipe.training, phase, pace.steps_per_epoch)
    part.model.compile(
        optimizer=optimizer,
        loss=_by_output(task.losses(facts), part.graph),
        loss_weights=dict(task.loss_weights(facts)) or None,
        metrics=_by_output(task.metrics(facts), part.graph),
        steps_per_execution=pace.steps_per_execution,
        jit_compile="auto" if tf.config.list_physical_devices("GPU") else False,
        auto_scale_loss=False,
    )
    part.model.optimizer.build(part.model.trainable_variables)
    job.cluster.average_updates(part.model)
    return rate


def _restore(job: _Job, part: PhaseData, saved: Checkpoint) -> None:
    if saved.sums:  # the variables of metrics exist only after a first batch
        (batch,) = _batches(job, part, saved.progress.step, saved.progress.step + 1).as_numpy_iterator()
        part.model.test_on_batch(*batch)
    assign(job.network.variables, saved.network, job.run)
    assign(further_variables(job.network, part.model), saved.part, job.run)
    assign(part.model.optimizer.variables, saved.optimizer, job.run)
    job.cluster.own_randomness(job.network)


def _validation(job: _Job, part: PhaseData) -> Callable[[], float]:
    """Return a function that measures the headline metric on the validation split, in float32."""
    task, facts, split = job.loaded.recipe.task, job.data.facts, part.validation
    whole = part.graph is job.whole
    deployed = task.deployed(job.networks)
    model = deployed_model(task, job.networks, job.models) if whole else with_outputs(part.model, deployed.outputs)
    call = caller(model, task.signature(facts))

    def validate() -> float:
        with computing_in(FLOAT32, model):
            return headline_value(task, task.answer(call, split.inputs, facts), split, facts)

    return validate


def _note_early_stop(keeper: Keeper, listener: Listener) -> None:
    progress, rule = keeper.progress, keeper.training.early_stopping
    if rule is None or not progress.stopped_early(rule) or progress.phase_epochs >= keeper.phase.epochs:
        return
    what = f"Phase '{keeper.phase.name}' stopped" if keeper.training.phases else "Stopped"
    epochs = f"{rule.patience} epoch{'s' * (rule.patience != 1)}"
    listener.note(
        f"{what} early after {progress.phase_epochs} of {keeper.phase.epochs} epochs: no better "
        f"{keeper.headline.name} on validation in {epochs}"
    )


def _note_pace(pace: Pace, examples: int, batch_size: int, listener: Listener) -> None:
    one_pass = examples / batch_size
    text = (
        f"an epoch is {pace.steps_per_epoch} steps of {batch_size} (one pass over the {examples} training examples is "
    )
    if pace.steps_per_execution > 1:
        listener.note(f"TensorFlow takes {pace.steps_per_execution} steps per call; {text}{one_pass:.1f})")
    elif pace.steps_per_epoch != math.ceil(one_pass):
        listener.note(f"{text[:1].upper()}{text[1:]}{one_pass:.1f})")


def _note_parts(job: _Job) -> None:
    """Tell where the result is not that of one device."""
    distribution = job.loaded.recipe.training.distribution
    nodes = [node.type for graph in job.graphs.values() for node in graph.nodes]
    if distribution and any(isinstance(node, BatchNormalization) for node in nodes):
        parts = f"{distribution.parts} parts" if distribution.parts else "parts"
        job.listener.note(f"BatchNorm takes its statistics from each of the {parts} of a batch by itself")


def _by_output(values: Mapping[str, Any], graph: Graph) -> Any:
    """Return the only value, or a dict: a model with one output has a plain tensor there."""
    single = len(values) == len(graph.outputs) == 1
    return next(iter(values.values())) if single else (dict(values) or None)


def _placed(loaded: LoadedRecipe, error: ProblemError) -> list[Any]:
    """Return the problems of an error, those of the recipe at its lines."""
    paths = {problem.path for problem in error.problems if problem.path.startswith("training.")}
    places = {path: loaded.place_of(tuple(int(p) if p.isdigit() else p for p in path.split("."))) for path in paths}
    return [replace(p, place=p.place or places.get(p.path)) for p in error.problems]
