"""Cross-entropy of class indices with label smoothing, which Keras has for one-hot targets only."""

from __future__ import annotations

from typing import Any

import keras


class SmoothedSparseCategoricalCrossentropy(keras.losses.Loss):  # type: ignore[misc]
    """Label smoothing (Szegedy et al. 2016, section 7) for targets that are class indices.

    Args:
        label_smoothing: Share of the target that is spread evenly over all classes, in [0, 1).
        name: Keras's name of the loss.
    """

    def __init__(self, label_smoothing: float, name: str = "smoothed_sparse_categorical_crossentropy") -> None:
        super().__init__(name=name)
        self.label_smoothing = label_smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one loss per example; `y_true` is (batch) indices, `y_pred` (batch, classes) probabilities."""
        one_hot = keras.ops.one_hot(keras.ops.reshape(y_true, (-1,)), y_pred.shape[-1])
        return keras.losses.categorical_crossentropy(one_hot, y_pred, label_smoothing=self.label_smoothing)

    def get_config(self) -> dict[str, Any]:
        """Return what makes this loss again."""
        return {"label_smoothing": self.label_smoothing, "name": self.name}
