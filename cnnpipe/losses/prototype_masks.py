"""The loss of single-stage detectors whose masks are sums of prototypes: that of boxes and scores, and of the masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from cnnpipe.boxes.anchors import VALUES
from cnnpipe.boxes.assignment import Assigned
from cnnpipe.losses.task_aligned_detection import TaskAlignedDetection

COLUMNS = 6
"""Numbers of an object in the targets: its box, its class, and whether it stands for a crowd."""


class PrototypeMasks(TaskAlignedDetection):
    """`TaskAlignedDetection` plus the loss of masks over anchors that learn an object (Bolya et al. 2019, section 3).

    A mask is the sigmoid of the sum of all prototypes, each times its coefficient. Its loss is taken inside of the
    object's box, and one pixel of the prototypes around it: the mean cross-entropy of the pixels, plus the Dice loss
    (Milletari et al. 2016); so an object counts the same whatever its area. Of each image at most `masks` anchors have
    one, the same choice at every step, spread evenly over the image; the loss is their mean over the batch, 0 where
    there are none.

    Args:
        anchors: As there; the further arguments of `TaskAlignedDetection` are in `options`.
        classes: How many classes there are.
        image: Height and width of the input.
        prototypes: Height, width and number of the prototypes.
        stride: Pixels of the input in one of the prototypes.
        masks: How many masks of an image are compared at most.
        mask_weight: How much cross-entropy counts.
        dice_weight: How much the Dice loss counts.
        name: Keras's name of the loss.
        options: Arguments of `TaskAlignedDetection`.

    Input shape:
        Targets `(batch, 6 m + height * width)`: the rows of `TaskAlignedDetection`, any number of them, then the mask
        of instances, k where the object of row k - 1 is seen. Predictions `(batch, n (4 + classes + number) +
        prototypes)`: for each anchor box, logits and coefficients, then the prototypes.
    """

    def __init__(
        self,
        anchors: Sequence[Sequence[float]],
        classes: int,
        image: Sequence[int],
        prototypes: Sequence[int],
        stride: int,
        masks: int = 64,
        mask_weight: float = 1.0,
        dice_weight: float = 1.0,
        name: str = "prototype_masks",
        **options: Any,
    ) -> None:
        super().__init__(anchors, name=name, **options)
        self.classes, self.image, self.prototypes, self.stride = classes, tuple(image), tuple(prototypes), stride
        self.masks, self.mask_weight, self.dice_weight = masks, mask_weight, dice_weight
        self._priority = np.random.default_rng(0).uniform(0.5, 1.0, len(self.anchors)).astype(np.float32)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one loss per image, such that their mean is that of the batch."""
        ops = keras.ops
        pixels, (height, width, number) = self.image[0] * self.image[1], self.prototypes
        rows = ops.reshape(y_true[:, :-pixels], (ops.shape(y_true)[0], -1, COLUMNS))
        instances = ops.reshape(y_true[:, -pixels:], (-1, *self.image))
        values = VALUES + self.classes + number
        said = ops.reshape(y_pred[:, : len(self.anchors) * values], (-1, len(self.anchors), values))
        prototypes = ops.reshape(y_pred[:, len(self.anchors) * values :], (-1, height * width, number))
        total, found = self.judged(rows, said[..., : VALUES + self.classes])
        return total + self._masks(found, said[..., VALUES + self.classes :], prototypes, instances)

    def get_config(self) -> dict[str, Any]:
        """Return what makes this loss again."""
        names = ("classes", "image", "prototypes", "stride", "masks", "mask_weight", "dice_weight")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    def _masks(self, found: Assigned, coefficients: Any, prototypes: Any, instances: Any) -> Any:
        ops = keras.ops
        ranks = ops.where(found.positive, self._priority, 0.0)
        ranks, chosen = ops.top_k(ranks, min(self.masks, len(self.anchors)))
        counted = ops.cast(ranks > 0, coefficients.dtype)  # (batch, masks)
        rows = ops.expand_dims(chosen, -1)
        logits = ops.matmul(
            ops.take_along_axis(coefficients, rows, axis=1), ops.transpose(prototypes, (0, 2, 1))
        )  # (batch, masks, height * width)
        numbers = ops.take_along_axis(found.objects, chosen, axis=1) + 1
        truth = ops.reshape(self._shares(instances, numbers), ops.shape(logits))
        inside = ops.reshape(self._inside(ops.take_along_axis(found.boxes, rows, axis=1)), ops.shape(logits))
        area = ops.maximum(ops.sum(inside, axis=-1), 1.0)
        each = self.mask_weight * ops.sum(ops.binary_crossentropy(truth, logits, True) * inside, axis=-1) / area
        if self.dice_weight:
            shown = ops.sigmoid(logits) * inside
            both, sums = ops.sum(shown * truth, axis=-1), ops.sum(shown, axis=-1) + ops.sum(truth * inside, axis=-1)
            each = each + self.dice_weight * (1.0 - (2.0 * both + 1.0) / (sums + 1.0))
        total = ops.sum(each * counted, axis=-1)
        return total * ops.cast(ops.shape(total)[0], total.dtype) / ops.maximum(ops.sum(counted), 1.0)

    def _shares(self, instances: Any, numbers: Any) -> Any:
        """Return which share of each of the prototypes' pixels shows an object, `(batch, masks, height, width)`."""
        ops = keras.ops
        height, width, _ = self.prototypes
        beyond = [(0, side * self.stride - length) for side, length in zip((height, width), self.image, strict=True)]
        padded = ops.pad(instances, [(0, 0), *beyond])
        wanted = ops.cast(ops.expand_dims(ops.expand_dims(numbers, -1), -1), padded.dtype)
        parts = [
            ops.cast(ops.expand_dims(padded[:, row :: self.stride, column :: self.stride], 1) == wanted, "float32")
            for row in range(self.stride)
            for column in range(self.stride)
        ]
        return sum(parts) / len(parts)

    def _inside(self, boxes: Any) -> Any:
        """Return 1 for pixels that a box touches and one more, and 0 elsewhere, `(batch, masks, height, width)`."""
        ops = keras.ops
        height, width, _ = self.prototypes
        column, row = (np.arange(length, dtype=np.float32) * self.stride for length in (width, height))
        left, top, right, bottom = (boxes[..., side : side + 1] for side in range(4))
        across = (column + 2 * self.stride > left) & (column - self.stride < right)
        down = (row + 2 * self.stride > top) & (row - self.stride < bottom)
        return ops.cast(ops.expand_dims(down, -1) & ops.expand_dims(across, -2), "float32")
