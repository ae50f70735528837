"""Training on with the rounding in the network: a few epochs at a low learning rate that falls to nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnnpipe.batches import training_batches
from cnnpipe.bundle.subject import Subject
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.evaluation import headline_value
from cnnpipe.events import Listener
from cnnpipe.graph import Graph
from cnnpipe.quantization.aware.nodes import FakeQuantization
from cnnpipe.recipe.schema import QuantizationAware, Recipe
from cnnpipe.task import Arrays
from cnnpipe.training.pace import Pace, choose_pace

if TYPE_CHECKING:
    import keras

SHARE_OF_RATE = 6
"""How many times lower the learning rate is than that of the last phase of the training."""
SHARE_OF_SCHEDULED_RATE = 100
"""The same where a schedule changed that rate: a training that ends with steps of nothing began with large ones."""


@dataclass(frozen=True)
class Learned:
    """How a network was trained on.

    Args:
        metric: Name of the headline metric.
        values: It on validation: with the calibrated ranges, then after each epoch.
        kept: After which epoch the kept weights stood; 0 for none.
    """

    metric: str
    values: Sequence[float]
    kept: int

    def __str__(self) -> str:
        before, after = self.values[0], self.values[self.kept]
        epochs = len(self.values) - 1
        return (
            f"{self.metric} on validation with rounding in the network is {before:.4g} before and {after:.4g} after "
            f"epoch {self.kept} of {epochs}"
        )


def learn(
    graph: Graph,
    model: keras.Model,
    call: Callable[[Arrays], Arrays],
    subject: Subject,
    recipe: Recipe,
    settings: QuantizationAware,
    listener: Listener,
) -> Learned:
    """Train a network with fake quantization, and leave in it the weights of the epoch that is best on validation.

    Dropout is out; batches, augmentation, losses and optimizer are those of the recipe, without its schedule and
    without moving averages of weights. The best may be the calibrated network as it was, before any epoch: then nothing
    is lost; of equally good epochs it is the last.

    Args:
        graph: The network.
        model: The network in Keras.
        call: Runs it as it is deployed.
        subject: Its examples and its task.
        recipe: How it was trained.
        settings: How it is trained on.
        listener: Hears of progress.

    Raises:
        ProblemError: The loss is not a number.
    """
    task, facts, split = subject.task, subject.facts, subject.splits["validation"]
    headline = task.headline()
    sign = 1 if headline.higher_is_better else -1
    values: list[float] = []
    kept: list[Any] = []

    def judge() -> None:
        values.append(headline_value(task, task.answer(call, split.inputs, facts), split, facts))
        if sign * values[-1] >= max(sign * value for value in values):
            kept[:] = [len(values) - 1, model.get_weights()]

    judge()
    _fit(graph, _trained(graph, model, subject), subject, recipe, settings, judge, listener)
    epoch, weights = kept
    model.set_weights(weights)
    return Learned(headline.name, tuple(values), epoch)


def learning_rate(recipe: Recipe, settings: QuantizationAware) -> float:
    """Return where the learning rate begins: what is asked for, or a share of that of the last phase."""
    training, last = recipe.training, recipe.training.parts[-1]
    share = SHARE_OF_SCHEDULED_RATE if training.schedule_of(last) else SHARE_OF_RATE
    return settings.learning_rate or training.optimizer_of(last).learning_rate / share


def _fit(
    graph: Graph,
    model: keras.Model,
    subject: Subject,
    recipe: Recipe,
    settings: QuantizationAware,
    judge: Callable[[], None],
    listener: Listener,
) -> None:
    import keras

    training, task, facts, split = recipe.training, subject.task, subject.facts, subject.splits["training"]
    # Weights with BatchNorm folded into them must keep their size: decay would change what the network says.
    plain = {"use_ema": False, "weight_decay": 0.0}
    spec = training.optimizer_of(training.parts[-1]).model_copy(update=plain)
    together = spec.gradient_accumulation_steps or 1
    pace = choose_pace([graph], len(split), training.batch_size, together)
    total = settings.epochs * pace.steps_per_epoch
    rate = keras.optimizers.schedules.CosineDecay(learning_rate(recipe, settings), total // together)
    batches = training_batches(
        split, training.batch_size, recipe.seed, 0, total, recipe.data.augmentation,
        keys=task.augmented, soften=lambda targets: task.soft_labels(targets, facts),
    )  # fmt: skip
    model.compile(
        optimizer=spec.build(rate),
        loss=_only({name: loss for name, loss in task.losses(facts).items() if name in graph.outputs}),
        steps_per_execution=pace.steps_per_execution,
        jit_compile=False,
        auto_scale_loss=False,
    )
    callback = keras.callbacks.LambdaCallback(
        on_train_batch_end=_step(pace, total, listener), on_epoch_end=lambda epoch, logs: judge()
    )
    model.fit(
        batches, epochs=settings.epochs, steps_per_epoch=pace.steps_per_epoch,
        shuffle=False, verbose=0, callbacks=[callback],
    )  # fmt: skip


def _step(pace: Pace, total: int, listener: Listener) -> Callable[[int, Mapping[str, Any]], None]:
    """Return what is called after each call of the network: it counts, tells, and stops at a broken loss."""
    done = 0

    def end(batch: int, logs: Mapping[str, Any]) -> None:
        nonlocal done
        done += pace.steps_per_execution
        if not math.isfinite(logs["loss"]):
            hint = "Set a lower quantization_aware.learning_rate."
            raise ProblemError(Problem(f"quantization-aware training: the loss is {logs['loss']}", hint=hint))
        listener.progress(done, total, {"loss": float(logs["loss"])})

    return end


def _trained(graph: Graph, model: keras.Model, subject: Subject) -> keras.Model:
    """Return what `fit` is called on.

    A probability that is rounded to nothing has no gradient, so the loss reads what is before a prescribed last range.
    """
    import keras

    outputs: dict[str, Any] = {}
    for tensor, position in graph.outputs.items():
        node = graph.nodes[position]
        if isinstance(node.type, FakeQuantization) and node.type.fixed:
            node = graph.nodes[node.inputs[0]]
        outputs[tensor] = model.get_layer(node.name).output
    inputs = {tensor: model.get_layer(tensor).output for tensor in graph.inputs}
    unrounded = keras.Model(_only(inputs), _only(outputs), name=model.name)
    return subject.task.training_model({"network": unrounded})


def _only(values: Mapping[str, Any]) -> Any:
    return next(iter(values.values())) if len(values) == 1 else dict(values)
