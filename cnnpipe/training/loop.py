"""The one training path: plain Keras `fit` over batches that are a function of the step."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cnnpipe.batches import training_batches
from cnnpipe.data import LoadedData
from cnnpipe.errors import Path, ProblemError
from cnnpipe.evaluation import caller, headline_value
from cnnpipe.events import Listener
from cnnpipe.graph import Graph
from cnnpipe.recipe.load import LoadedRecipe
from cnnpipe.runs import Run
from cnnpipe.task import Task
from cnnpipe.training import history
from cnnpipe.training.checkpoints import Checkpoint, Progress, assign, load_state, restore_best, state_variables
from cnnpipe.training.interrupt import InterruptedRun, deferred_interrupt
from cnnpipe.training.keeper import Keeper
from cnnpipe.training.pace import Pace, choose_pace

if TYPE_CHECKING:
    import keras

LEARNING_RATE: Path = ("training", "optimizer", "learning_rate")


@dataclass(frozen=True)
class FitResult:
    """What a training was.

    Args:
        history: One row per epoch, as in `history.csv`.
        best_epoch: Epoch with the best headline metric on the validation split, counted from 1.
        epochs: Epochs trained; fewer than the recipe says after early stopping.
        seconds: Time spent training, over all processes.
    """

    history: tuple[Mapping[str, float], ...]
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
) -> FitResult:
    """Train, and leave the weights that `training.restore` asks for in `models`.

    `make_deterministic` must come before the models are built. Checkpoints are written at the end of every epoch.

    Args:
        loaded: The recipe.
        data: Its examples.
        models: The networks by name, freshly built.
        run: Where history and checkpoints go; its state becomes `training`, then `trained`, `interrupted` or `failed`.
        listener: Hears of notes and progress.
        resume: Go on from the last checkpoint, if there is one, with the same result as if there had been no stop.

    Raises:
        InterruptedRun: Ctrl-C; the state is saved.
        ProblemError: The loss is not a number, the folder cannot be written, the checkpoint is of another network.
    """
    run.update("training")
    try:
        result = _fit(loaded, data, models, run, listener, resume)
    except InterruptedRun:
        run.update("interrupted")
        raise
    except ProblemError as error:
        with suppress(ProblemError):  # a full disk may be the reason
            run.update("failed", problems=[str(problem) for problem in error.problems])
        raise ProblemError(_placed(loaded, error)) from error
    run.update("trained", best_epoch=result.best_epoch, epochs=result.epochs, training_seconds=round(result.seconds, 3))
    return result


def deployed_model(task: Task, graphs: Mapping[str, Graph], models: Mapping[str, keras.Model]) -> keras.Model:
    """Return the model of the graph that is exported."""
    deployed = task.deployed(graphs)
    return next(models[name] for name, graph in graphs.items() if graph is deployed)


def _fit(
    loaded: LoadedRecipe,
    data: LoadedData,
    models: Mapping[str, keras.Model],
    run: Run,
    listener: Listener,
    resume: bool,
) -> FitResult:
    recipe, task = loaded.recipe, loaded.recipe.task
    graphs = task.networks(recipe.model, data.facts, loaded.place_of)
    model, saved = task.training_model(models), load_state(run) if resume else None
    examples, batch_size = len(data.splits["training"]), recipe.training.batch_size
    pace = saved.progress.pace if saved else choose_pace(graphs, examples, batch_size)
    _note_pace(pace, examples, batch_size, listener)
    _compile(model, loaded, data, pace)
    progress = saved.progress if saved else Progress(pace)
    history.keep_until(run, progress.epochs)
    if saved:
        _restore(model, loaded, data, saved, run)
        listener.note(
            f"Went on after step {progress.step}, in epoch {progress.epochs + 1} of {recipe.training.total_epochs}"
        )
    with deferred_interrupt() as interrupted:
        validate = _validation(task, deployed_model(task, graphs, models), data)
        keeper = Keeper(
            model, run, progress, recipe.training.total_epochs, task.headline(), validate,
            recipe.training.early_stopping, listener, interrupted, saved.sums if saved else (),
        )  # fmt: skip
        _train(loaded, data, keeper)
    if recipe.training.restore == "best":
        restore_best(run, model)
    rows = history.read_rows(run.folder / history.NAME)
    return FitResult(tuple(rows), progress.best_epoch, progress.epochs, progress.seconds)


def _train(loaded: LoadedRecipe, data: LoadedData, keeper: Keeper) -> None:
    """Call `fit`: once, or after a stop inside an epoch first to its end, then for the others."""
    progress, pace = keeper.progress, keeper.progress.pace
    begun = progress.step % pace.steps_per_epoch
    for last_epoch in (progress.epochs + 1, keeper.epochs) if begun else (keeper.epochs,):
        if progress.stopped or progress.epochs >= last_epoch:
            continue
        keeper.model.fit(
            _batches(loaded, data, progress.step, last_epoch * pace.steps_per_epoch),
            initial_epoch=progress.epochs, epochs=last_epoch,
            steps_per_epoch=pace.steps_per_epoch - progress.step % pace.steps_per_epoch,
            shuffle=False, verbose=0, callbacks=[keeper.callback()],
        )  # fmt: skip


def _batches(loaded: LoadedRecipe, data: LoadedData, start: int, stop: int) -> Any:
    recipe, task = loaded.recipe, loaded.recipe.task
    return training_batches(
        data.splits["training"], recipe.training.batch_size, recipe.seed, start, stop, recipe.data.augmentation,
        keys=task.augmented, soften=lambda targets: task.soft_labels(targets, data.facts),
    )  # fmt: skip


def _compile(model: keras.Model, loaded: LoadedRecipe, data: LoadedData, pace: Pace) -> None:
    """Compile for training. On a CPU compiled kernels (XLA) are slower, so they are left to accelerators."""
    import tensorflow as tf

    task = loaded.recipe.task
    model.compile(
        optimizer=loaded.recipe.training.optimizer.build(),
        loss=_only(task.losses(data.facts)),
        metrics=_only(task.metrics(data.facts)),
        steps_per_execution=pace.steps_per_execution,
        jit_compile="auto" if tf.config.list_physical_devices("GPU") else False,
    )
    model.optimizer.build(model.trainable_variables)


def _restore(model: keras.Model, loaded: LoadedRecipe, data: LoadedData, saved: Checkpoint, run: Run) -> None:
    if saved.sums:  # the variables of metrics exist only after a first batch
        (batch,) = _batches(loaded, data, saved.progress.step, saved.progress.step + 1).as_numpy_iterator()
        model.test_on_batch(*batch)
    assign(state_variables(model), saved.variables, run)


def _validation(task: Task, model: keras.Model, data: LoadedData) -> Any:
    """Return a function that measures the headline metric on the validation split."""
    split, facts = data.splits["validation"], data.facts
    call = caller(model, task.signature(facts))
    return lambda: headline_value(task, task.answer(call, split.inputs, facts), split, facts)


def _note_pace(pace: Pace, examples: int, batch_size: int, listener: Listener) -> None:
    if pace.steps_per_execution > 1:
        listener.note(
            f"TensorFlow takes {pace.steps_per_execution} steps per call; an epoch is {pace.steps_per_epoch} steps of "
            f"{batch_size} (one pass over the {examples} training examples is {examples / batch_size:.1f})"
        )


def _only(values: Mapping[str, Any]) -> Any:
    """Return the only value, or a dict: a model with one output has a plain tensor there."""
    return next(iter(values.values())) if len(values) == 1 else (dict(values) or None)


def _placed(loaded: LoadedRecipe, error: ProblemError) -> list[Any]:
    place = loaded.place_of(LEARNING_RATE)
    return [replace(p, place=place) if p.path == "training.optimizer.learning_rate" else p for p in error.problems]
