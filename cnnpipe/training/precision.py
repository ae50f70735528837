"""Mixed precision: layers compute in a shorter type while training, with float32 weights, and in float32 otherwise.

The policy of a layer counts when TensorFlow traces it, so one network serves both: what `fit` traces is mixed, what
validation and export trace is float32, and there is one set of weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

FLOAT32 = "float32"


@contextmanager
def computing_in(policy: str, model: keras.Model, in_float32: Iterable[str] = ()) -> Iterator[None]:
    """Let the layers of a model compute by one of Keras's dtype policies inside the block.

    Args:
        policy: Name of the policy.
        model: The model.
        in_float32: Names of layers that stay in float32: those whose outputs the loss reads.
    """
    kept = set(in_float32)
    changed = [layer for layer in _layers(model) if layer.name not in kept and layer.dtype_policy.name != policy]
    before = [layer.dtype_policy for layer in changed]
    for layer in changed:
        layer.dtype_policy = policy
    try:
        yield
    finally:
        for layer, old in zip(changed, before, strict=True):
            layer.dtype_policy = old


def _layers(model: keras.Model) -> Iterator[Any]:
    for layer in model._flatten_layers(include_self=False):
        if hasattr(layer, "dtype_policy"):
            yield layer
