"""Moving averages of weights (`use_ema`): they are what is judged, kept and exported.

While a phase goes on the optimizer needs the weights themselves; they are set to their averages to judge an epoch, and
back. Keras's `fit` sets them to their averages when it returns, which is wanted only at the end of the phase.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cnnpipe.training.checkpoints import copies

if TYPE_CHECKING:
    import keras


def averages(model: keras.Model) -> bool:
    """Return whether the optimizer of a compiled model keeps moving averages."""
    return bool(own_optimizer(model).use_ema)


@contextmanager
def averaged(model: keras.Model) -> Iterator[None]:
    """Let the trainable weights of a compiled model be their averages inside the block, if it keeps any."""
    weights = model.trainable_variables if averages(model) else []
    before = copies(weights)
    set_to_averages(model)
    yield
    for weight, value in zip(weights, before, strict=True):
        weight.assign(value)


def set_to_averages(model: keras.Model) -> None:
    """Set the trainable weights of a compiled model to their averages, if it keeps any."""
    if averages(model):
        model.optimizer.finalize_variable_values(model.trainable_variables)


def own_optimizer(model: keras.Model) -> Any:
    """Return the optimizer of a compiled model without the one that scales its loss."""
    return getattr(model.optimizer, "inner_optimizer", model.optimizer)
