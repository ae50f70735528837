"""Scores of a model, a run or an exported file: always by the task's own decode and score, with n and interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from cnnpipe.preprocessing import Preprocessing
from cnnpipe.task import Arrays, Facts, Prediction, Scores, Signature, Task

if TYPE_CHECKING:
    import keras

BATCH_SIZE, CALL_BYTES = 256, 2**25
"""Examples that are computed at once at most, and bytes of their inputs: a network's maps are many times as large."""


class Truth(Protocol):
    """What is needed of a split: what the task made of the truth, by output or target name, batch axis first."""

    @property
    def targets(self) -> Arrays:
        """Return the targets."""
        ...


@dataclass(frozen=True)
class Evaluation:
    """What a model, in whatever runtime, is worth on a split.

    Args:
        scores: All metrics, each with n and interval.
        predictions: What it says about each example.
        example_scores: The headline metric of each example, None where a task has none.
    """

    scores: Scores
    predictions: list[Prediction]
    example_scores: np.ndarray | None


@dataclass(frozen=True)
class Drop:
    """How much worse one model is than another on the same examples.

    Args:
        drop: Difference of the headline metric, positive when the second is worse.
        differs: Examples that one does better than the other, None where examples have no scores.
        lost: Of these, how many the second does worse.
        won: Of these, how many the second does better.
        n: Number of examples.
    """

    drop: float
    differs: int | None
    lost: int | None
    won: int | None
    n: int


def restored(
    task: Task, predictions: Sequence[Prediction], raws: Sequence[Any], preprocessing: Preprocessing
) -> list[Prediction]:
    """Return predictions in pixels of the pictures, where they speak of places.

    Args:
        task: The task.
        predictions: What it says of each, in pixels of the network's input.
        raws: The raw examples, as `Preprocessing.apply` takes them.
        preprocessing: What was done to them.
    """
    found = []
    for prediction, raw in zip(predictions, raws, strict=True):
        placement = preprocessing.placement(raw)
        found.append(prediction if placement is None else task.restored(prediction, placement))
    return found


def evaluate(task: Task, outputs: Arrays, split: Truth, facts: Facts) -> Evaluation:
    """Decode and score outputs."""
    predictions = task.decode(outputs, facts)
    scores = task.score(split.targets, predictions, facts)
    return Evaluation(scores, predictions, task.example_scores(split.targets, predictions, facts))


def headline_value(task: Task, outputs: Arrays, split: Truth, facts: Facts) -> float:
    """Return the headline metric alone. Cheap where examples have scores: their mean is the metric."""
    predictions = task.decode(outputs, facts)
    each = task.example_scores(split.targets, predictions, facts)
    if each is not None:
        return float(each.mean())
    return task.score(split.targets, predictions, facts).metrics[task.headline().name].value


def compare(task: Task, before: Evaluation, after: Evaluation) -> Drop:
    """Return how much worse `after` is than `before`, both on the same examples in the same order."""
    headline = task.headline()
    sign = 1 if headline.higher_is_better else -1
    values = [evaluation.scores.metrics[headline.name].value for evaluation in (before, after)]
    drop, n = sign * (values[0] - values[1]), len(before.predictions)
    if before.example_scores is None or after.example_scores is None:
        return Drop(drop, None, None, None, n)
    worse = sign * (before.example_scores - after.example_scores)
    lost, won = int((worse > 0).sum()), int((worse < 0).sum())
    return Drop(drop, lost + won, lost, won, n)


def caller(model: keras.Model, signature: Signature, batch_size: int = BATCH_SIZE) -> Callable[[Arrays], Arrays]:
    """Return a function from inputs to outputs, both by tensor name, batch axis first; made once, used many times.

    It sees later changes of the weights.

    Args:
        model: The deployed network.
        signature: Names of its tensors.
        batch_size: Examples per call of the network.
    """
    import tensorflow as tf

    outputs = list(signature.outputs)
    shapes = {name: (None, *tensor.shape[1:]) for name, tensor in _inputs(model, signature).items()}

    @tf.function(input_signature=[{name: tf.TensorSpec(shape, tf.float32) for name, shape in shapes.items()}])  # type: ignore[untyped-decorator]
    def call(inputs: Mapping[str, Any]) -> dict[str, Any]:
        found = model(next(iter(inputs.values())) if len(inputs) == 1 else dict(inputs), training=False)
        return {outputs[0]: found} if len(outputs) == 1 else {name: found[name] for name in outputs}

    def in_batches(inputs: Arrays) -> dict[str, np.ndarray]:
        parts = [
            {name: value.numpy() for name, value in call(batch).items()}
            for batch in _batches({name: inputs[name] for name in shapes}, batch_size)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in outputs}

    return in_batches


def predict_outputs(model: keras.Model, inputs: Arrays, signature: Signature, batch_size: int = BATCH_SIZE) -> Arrays:
    """Return the outputs of a Keras model by tensor name, batch axis first."""
    return caller(model, signature, batch_size)(inputs)


def _inputs(model: keras.Model, signature: Signature) -> Mapping[str, Any]:
    """Return the symbolic inputs of a model by tensor name."""
    if len(signature.inputs) == 1:
        return {next(iter(signature.inputs)): model.inputs[0]}
    return {tensor.name: tensor for tensor in model.inputs}


def _batches(inputs: Arrays, batch_size: int) -> Iterator[dict[str, np.ndarray]]:
    """Yield slices as float32: pixels stay bytes until they are needed."""
    n = len(next(iter(inputs.values())))
    each = 4 * sum(math.prod(array.shape[1:]) for array in inputs.values())
    batch_size = max(1, min(batch_size, CALL_BYTES // max(1, each)))
    for start in range(0, n, batch_size):
        yield {name: np.asarray(array[start : start + batch_size], np.float32) for name, array in inputs.items()}
