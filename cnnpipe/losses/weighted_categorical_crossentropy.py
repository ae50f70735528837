"""Cross-entropy of one class of many, for class indices and for shares of classes, with class weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras


class WeightedCategoricalCrossentropy(keras.losses.Loss):  # type: ignore[misc]
    """Keras's sparse, categorical or categorical focal cross-entropy, whichever the targets and arguments call for.

    Without weights, smoothing and `gamma`, and with indices, it is `keras.losses.SparseCategoricalCrossentropy`, to the
    bit. `fit` has `class_weight` for the same purpose as `class_weights`, but not for shares.

    Args:
        class_weights: A factor for each class; the loss of an example has that of its class, or of mixed classes the
            mean by their shares. None: all are 1.
        label_smoothing: Share of the target that is spread evenly over all classes (Szegedy et al. 2016, section 7).
        gamma: Exponent of the focal loss (Lin et al. 2017, equation 4); None for plain cross-entropy.
        alpha: Factor of the focal loss.
        name: Keras's name of the loss.

    Input shape:
        Targets `(batch,)` or `(batch, 1)`, class indices; or `(batch, classes)`, shares that sum to 1. Predictions
        `(batch, classes)`, probabilities.
    """

    def __init__(
        self,
        class_weights: Sequence[float] | None = None,
        label_smoothing: float = 0.0,
        gamma: float | None = None,
        alpha: float = 0.25,
        name: str = "weighted_categorical_crossentropy",
    ) -> None:
        super().__init__(name=name)
        self.class_weights, self.label_smoothing = class_weights, label_smoothing
        self.gamma, self.alpha = gamma, alpha

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one loss per example."""
        classes = y_pred.shape[-1]
        indices = len(y_true.shape) < len(y_pred.shape) or y_true.shape[-1] != classes
        if indices and not self.label_smoothing and self.gamma is None:
            loss = keras.losses.sparse_categorical_crossentropy(y_true, y_pred)
            return loss if self.class_weights is None else loss * self._weights(self._shares(y_true, classes))
        shares = self._shares(y_true, classes) if indices else y_true
        if self.gamma is None:
            loss = keras.losses.categorical_crossentropy(shares, y_pred, label_smoothing=self.label_smoothing)
        else:
            loss = keras.losses.categorical_focal_crossentropy(
                shares, y_pred, self.alpha, self.gamma, label_smoothing=self.label_smoothing
            )
        return loss if self.class_weights is None else loss * self._weights(shares)

    def get_config(self) -> dict[str, Any]:
        """Return what makes this loss again."""
        return {
            "class_weights": self.class_weights, "label_smoothing": self.label_smoothing,
            "gamma": self.gamma, "alpha": self.alpha, "name": self.name,
        }  # fmt: skip

    def _shares(self, indices: Any, classes: int) -> Any:
        return keras.ops.one_hot(keras.ops.reshape(indices, (-1,)), classes)

    def _weights(self, shares: Any) -> Any:
        return keras.ops.sum(shares * keras.ops.convert_to_tensor(self.class_weights, shares.dtype), axis=-1)
