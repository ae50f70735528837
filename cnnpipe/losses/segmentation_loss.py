"""Losses of class probabilities for each pixel, where some pixels do not count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

IGNORED = 255


class SegmentationLoss(keras.losses.Loss):  # type: ignore[misc]
    """Cross-entropy or focal loss of the pixels that count, plus the Dice loss, each times its weight.

    The first is the mean over the pixels of a batch, each times the weight of its class. The Dice loss is 1 minus the
    mean over classes of 2 sum(p t) / (sum(p) + sum(t)), with sums over the pixels of a batch, and only of classes that
    it shows (Milletari et al. 2016, section 3, with plain instead of squared sums).

    Args:
        crossentropy: Weight of cross-entropy; 0 leaves it out.
        dice: Weight of the Dice loss; 0 leaves it out.
        gamma: Exponent of the focal loss (Lin et al. 2017, equation 4); 0 is cross-entropy.
        class_weights: A factor for each class in cross-entropy. None: all are 1.
        ignore_class: The target of pixels that do not count.
        name: Keras's name of the loss.

    Input shape:
        Targets `(batch, height, width, 1)`, class indices; predictions `(batch, height, width, classes)`,
        probabilities.
    """

    def __init__(
        self,
        crossentropy: float = 1.0,
        dice: float = 0.0,
        gamma: float = 0.0,
        class_weights: Sequence[float] | None = None,
        ignore_class: int = IGNORED,
        name: str = "segmentation_loss",
    ) -> None:
        super().__init__(name=name)
        self.crossentropy, self.dice, self.gamma = crossentropy, dice, gamma
        self.class_weights, self.ignore_class = class_weights, ignore_class

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one number for the batch, 0 where no pixel counts."""
        ops = keras.ops
        truth = ops.cast(y_true[..., 0], "int32")
        counts = ops.cast(truth != self.ignore_class, "float32")
        shares = ops.one_hot(ops.where(counts > 0, truth, 0), y_pred.shape[-1], dtype="float32") * counts[..., None]
        probabilities = ops.cast(y_pred, "float32")
        total = ops.zeros(())
        if self.crossentropy:
            total = total + self.crossentropy * self._crossentropy(shares, probabilities, counts)
        if self.dice:
            total = total + self.dice * _dice(shares, probabilities * counts[..., None])
        return total

    def get_config(self) -> dict[str, Any]:
        """Return what makes this loss again."""
        return {
            "crossentropy": self.crossentropy, "dice": self.dice, "gamma": self.gamma,
            "class_weights": self.class_weights, "ignore_class": self.ignore_class, "name": self.name,
        }  # fmt: skip

    def _crossentropy(self, shares: Any, probabilities: Any, counts: Any) -> Any:
        ops = keras.ops
        right = ops.sum(shares * probabilities, axis=-1)
        each = -ops.log(ops.clip(right, keras.config.epsilon(), 1.0)) * counts
        if self.gamma:  # the slope of 0 ** 0, and of 0 to a power below 1, is no number
            each = each * ops.maximum(1 - right, keras.config.epsilon()) ** self.gamma
        if self.class_weights is not None:
            each = each * ops.sum(shares * ops.convert_to_tensor(self.class_weights, "float32"), axis=-1)
        return ops.sum(each) / ops.maximum(ops.sum(counts), 1.0)


def _dice(shares: Any, probabilities: Any) -> Any:
    ops = keras.ops
    axes = tuple(range(len(shares.shape) - 1))
    true, said = ops.sum(shares, axis=axes), ops.sum(probabilities, axis=axes)
    both = ops.sum(shares * probabilities, axis=axes)
    shown = ops.cast(true > 0, "float32")
    each = 1 - 2 * both / ops.maximum(true + said, keras.config.epsilon())
    return ops.sum(each * shown) / ops.maximum(ops.sum(shown), 1.0)
