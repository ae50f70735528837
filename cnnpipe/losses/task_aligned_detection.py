"""The loss of single-stage detectors: how good boxes and scores are that anchors give, for what they are to learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import keras
import numpy as np

from cnnpipe.boxes.anchors import VALUES, decode
from cnnpipe.boxes.assignment import Assigned, assign, inside
from cnnpipe.boxes.overlaps import Kind, overlap

VARIFOCAL_ALPHA, VARIFOCAL_GAMMA = 0.75, 2.0
"""Zhang et al. 2021, section 3.2."""


class TaskAlignedDetection(keras.losses.Loss):  # type: ignore[misc]
    """Classification and box loss over anchors that are assigned anew at every step (Feng et al. 2021).

    Both are sums over anchors, divided by the sum of the target scores of the batch, at least 1: so images without any
    object only say that there is none.

    Args:
        anchors: `(n, 4)` as `center_xywh` in pixels of the input.
        scale: Side of an anchor, in strides.
        box_loss: 1 minus this measure of overlap, weighted by the target score.
        classification_loss: `crossentropy` with the target score, or `varifocal` (Zhang et al. 2021, equation 2), which
            counts anchors without object by the square of what they say.
        classification_weight: How much the scores count.
        box_weight: How much the boxes count.
        top: How many anchors learn an object.
        alpha: Exponent of the score, in the measure by which anchors are chosen.
        beta: Exponent of the overlap there.
        name: Keras's name of the loss.

    Input shape:
        Targets `(batch, m, 6)`: box as `xyxy`, class (below 0: no object), and whether it stands for a crowd, in which
        nothing is learned. Predictions `(batch, n, 4 + classes)`: numbers of the box as `boxes/anchors.py` says, then
        the logit of each class.
    """

    def __init__(
        self,
        anchors: Sequence[Sequence[float]],
        scale: float,
        box_loss: Kind = "ciou",
        classification_loss: Literal["crossentropy", "varifocal"] = "crossentropy",
        classification_weight: float = 1.0,
        box_weight: float = 2.5,
        top: int = 13,
        alpha: float = 1.0,
        beta: float = 6.0,
        name: str = "task_aligned_detection",
    ) -> None:
        super().__init__(name=name)
        self.anchors, self.scale = np.asarray(anchors, np.float32), scale
        self.box_loss, self.classification_loss = box_loss, classification_loss
        self.classification_weight, self.box_weight = classification_weight, box_weight
        self.top, self.alpha, self.beta = top, alpha, beta

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one loss per image, such that their mean is that of the batch."""
        return self.judged(y_true, y_pred)[0]

    def judged(self, y_true: Any, y_pred: Any) -> tuple[Any, Assigned]:
        """Return what `call` returns, and what each anchor had to learn."""
        ops = keras.ops
        boxes, logits = decode(y_pred[..., :VALUES], self.anchors, ops), y_pred[..., VALUES:]
        true_boxes, crowd = y_true[..., :4], y_true[..., 5] > 0
        labels = ops.where(crowd, -1.0, y_true[..., 4])
        middles, strides = self.anchors[:, :2], self.anchors[:, 2] / self.scale
        options = (self.top, self.alpha, self.beta)
        found = assign(ops.sigmoid(logits), boxes, middles, strides, true_boxes, labels, *options)
        unknown = ops.any(inside(middles, true_boxes) & ops.expand_dims(crowd, -1), axis=1) & ~found.positive
        errors = self._classification(found, logits) * ops.cast(~unknown, logits.dtype)
        weights = ops.sum(found.scores, axis=-1)
        # of anchors without object the loss of an object that fits, so that no gradient is infinite times 0
        goals = ops.where(ops.expand_dims(found.positive, -1), found.boxes, ops.stop_gradient(boxes))
        distance = (1.0 - overlap(boxes, goals, self.box_loss, ops)) * weights
        total = ops.sum(self.classification_weight * errors + self.box_weight * distance, axis=-1)
        return total * ops.cast(ops.shape(total)[0], total.dtype) / ops.maximum(ops.sum(weights), 1.0), found

    def get_config(self) -> dict[str, Any]:
        """Return what makes this loss again."""
        names = (
            "scale", "box_loss", "classification_loss", "classification_weight", "box_weight", "top", "alpha", "beta",
            "name",
        )  # fmt: skip
        return {"anchors": self.anchors.tolist(), **{name: getattr(self, name) for name in names}}

    def _classification(self, found: Assigned, logits: Any) -> Any:
        """Return the sum over the classes for each anchor."""
        ops = keras.ops
        each = ops.relu(logits) - logits * found.scores + ops.softplus(-ops.abs(logits))
        if self.classification_loss == "varifocal":
            said = ops.stop_gradient(ops.sigmoid(logits))
            each = each * ops.where(found.scores > 0, found.scores, VARIFOCAL_ALPHA * said**VARIFOCAL_GAMMA)
        return ops.sum(each, axis=-1)
