"""How often a network agrees with labels that may be mixed, while it trains."""

from __future__ import annotations

from typing import Any

import keras


def class_agreement(y_true: Any, y_pred: Any) -> Any:
    """Return for each example 1 or 0: is the most probable class the true one, or that with the largest share?

    Args:
        y_true: `(batch,)` class indices, or `(batch, classes)` shares.
        y_pred: `(batch, classes)` probabilities.
    """
    if len(y_true.shape) < len(y_pred.shape) or y_true.shape[-1] != y_pred.shape[-1]:
        return keras.metrics.sparse_categorical_accuracy(y_true, y_pred)
    return keras.metrics.categorical_accuracy(y_true, y_pred)


def decision_agreement(y_true: Any, y_pred: Any, threshold: float) -> Any:
    """Return the share of each example's yes-or-no decisions that are right, where yes is above the threshold.

    Args:
        y_true: `(batch, decisions)`, 0 to 1.
        y_pred: The same, probabilities.
        threshold: Of truth and prediction.
    """
    yes = keras.ops.cast(y_true > threshold, y_pred.dtype)
    return keras.metrics.binary_accuracy(yes, y_pred, threshold=threshold)
