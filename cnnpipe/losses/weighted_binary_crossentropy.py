"""Cross-entropy of yes-or-no decisions, with a weight for each answer to each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras


class WeightedBinaryCrossentropy(keras.losses.Loss):  # type: ignore[misc]
    """Keras's binary or binary focal cross-entropy, weighted; without weights to the bit the same.

    Args:
        yes_weights: A factor for each decision, where the answer is yes. None: all are 1.
        no_weights: The same where it is no. Where it is partly yes, the mean of both by their shares counts.
        label_smoothing: Share of the target that moves to 0.5 (Szegedy et al. 2016, section 7).
        gamma: Exponent of the focal loss (Lin et al. 2017, equation 4); None for plain cross-entropy.
        alpha: Factor of the focal loss where the answer is yes, 1 - alpha where it is no (equation 5).
        apply_class_balancing: Whether `alpha` counts.
        name: Keras's name of the loss.

    Input shape:
        Targets `(batch, decisions)`, 0 to 1. Predictions of the same shape, probabilities of yes.
    """

    def __init__(
        self,
        yes_weights: Sequence[float] | None = None,
        no_weights: Sequence[float] | None = None,
        label_smoothing: float = 0.0,
        gamma: float | None = None,
        alpha: float = 0.25,
        apply_class_balancing: bool = False,
        name: str = "weighted_binary_crossentropy",
    ) -> None:
        super().__init__(name=name)
        self.yes_weights, self.no_weights, self.label_smoothing = yes_weights, no_weights, label_smoothing
        self.gamma, self.alpha, self.apply_class_balancing = gamma, alpha, apply_class_balancing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one loss per example, the mean of its decisions."""
        if self.yes_weights is None and self.no_weights is None:
            return self._loss(y_true, y_pred)
        yes, no = (
            1.0 if weights is None else keras.ops.convert_to_tensor(weights, y_pred.dtype)
            for weights in (self.yes_weights, self.no_weights)
        )
        each = self._loss(y_true[..., None], y_pred[..., None])
        return keras.ops.mean(each * (y_true * yes + (1.0 - y_true) * no), axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return what makes this loss again."""
        return {
            "yes_weights": self.yes_weights, "no_weights": self.no_weights, "label_smoothing": self.label_smoothing,
            "gamma": self.gamma, "alpha": self.alpha, "apply_class_balancing": self.apply_class_balancing,
            "name": self.name,
        }  # fmt: skip

    def _loss(self, y_true: Any, y_pred: Any) -> Any:
        """Return the mean over the last axis."""
        if self.gamma is None:
            return keras.losses.binary_crossentropy(y_true, y_pred, label_smoothing=self.label_smoothing)
        return keras.losses.binary_focal_crossentropy(
            y_true, y_pred, self.apply_class_balancing, self.alpha, self.gamma, label_smoothing=self.label_smoothing
        )
