"""A phase of a training: which layers learn, with which optimizer, and how that is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cnnpipe.graph import Graph
from cnnpipe.recipe.phases import frozen_in
from cnnpipe.recipe.schema import Phase, Training

if TYPE_CHECKING:
    import keras


def set_trainable(graphs: Mapping[str, Graph], models: Mapping[str, keras.Model], phase: Phase | None) -> None:
    """Let the layers of the networks learn that a phase does not freeze; all of them without a phase.

    Keras's BatchNorm works as in inference where it does not learn.
    """
    for name, graph in graphs.items():
        frozen = frozen_in(graph, phase)
        for number, node in enumerate(graph.nodes):
            if number not in graph.inputs.values():
                models[name].get_layer(node.name).trainable = number not in frozen


def make_optimizer(training: Training, phase: Phase, steps_per_epoch: int) -> tuple[Any, Callable[[], float]]:
    """Return the Keras optimizer of a phase, and a function that tells the learning rate of its last update."""
    import keras
    import numpy as np

    spec, schedule = training.optimizer_of(phase), training.schedule_of(phase)
    updates = phase.epochs * steps_per_epoch // (spec.gradient_accumulation_steps or 1)
    rate = schedule.build(spec.learning_rate, max(1, updates)) if schedule else spec.learning_rate
    optimizer = spec.build(rate)

    def last_rate() -> float:  # of several devices the first tells the numbers
        steps, constant = (np.asarray(value).item() for value in (optimizer.iterations, optimizer.learning_rate))
        return float(rate(max(0, steps - 1))) if callable(rate) else constant

    if training.precision == "mixed_float16":  # small gradients would become 0
        return keras.optimizers.LossScaleOptimizer(optimizer), last_rate
    return optimizer, last_rate
