"""The loss of two-stage detectors: what anchors propose, and what is said of the proposals, in one step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from cnnpipe.boxes.anchors import VALUES, encode
from cnnpipe.boxes.matching import Matched, match, sampling_weights

COLUMNS = 6
"""Numbers of an object in the targets: box, class, crowd."""
ANCHOR_OVERLAPS, ANCHOR_SAMPLE, ANCHOR_SHARE = (0.7, 0.3), 256, 0.5
"""Ren et al. 2015, section 3.1: overlaps of anchors with an object and without, and how they are sampled."""
REGION_OVERLAP, REGION_SHARE = 0.5, 0.25
"""Girshick 2015, section 2.3: from which overlap on a proposal has an object, and how many of a sample have one."""


class TwoStageDetection(keras.losses.Loss):  # type: ignore[misc]
    """Objectness and boxes of anchors, classes and boxes of proposals (Ren et al. 2015; approximate joint training).

    Each image is looked at by itself, one after the other, so that memory does not grow with the batch: anchors times
    objects of one image. Random samples are replaced by their mean (`boxes/matching.py`).

    Args:
        anchors: `(n, 4)` as `center_xywh` in pixels of the input.
        regions: How many proposals.
        classes: How many classes, without the background.
        scales: What the numbers of boxes are multiplied by, in both stages.
        box_weight: How much boxes count, against scores.
        name: Keras's name of the loss.

    Input shape:
        Targets `(batch, m, 6)`: box as `xyxy`, class (below 0: no object), and whether it stands for a crowd, in which
        nothing is learned. Predictions `(batch, values)`, flat behind one another: objectness (n) as logits and numbers
        of boxes (n, 4) of the anchors; the proposals (regions, 5); their classes (regions, classes + 1) as logits, the
        background last, and numbers of boxes (regions, 4).
    """

    def __init__(
        self,
        anchors: Sequence[Sequence[float]],
        regions: int,
        classes: int,
        scales: Sequence[float],
        box_weight: float = 1.0,
        name: str = "two_stage_detection",
    ) -> None:
        super().__init__(name=name)
        self.anchors, self.regions, self.classes = np.asarray(anchors, np.float32), regions, classes
        self.scales, self.box_weight = tuple(scales), box_weight

    def get_config(self) -> dict[str, Any]:
        """Return what makes this loss again."""
        names = ("regions", "classes", "scales", "box_weight", "name")
        return {"anchors": self.anchors.tolist(), **{name: getattr(self, name) for name in names}}

    def shapes(self) -> list[tuple[int, int]]:
        """Return the shapes of what the predictions hold."""
        anchors, regions = len(self.anchors), self.regions
        return [(anchors, 1), (anchors, VALUES), (regions, 5), (regions, self.classes + 1), (regions, VALUES)]

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one loss per image."""
        return keras.ops.map(lambda both: self.of_image(*both), (y_true, y_pred))

    def of_image(self, truth: Any, said: Any) -> Any:
        """Return the loss of one image."""
        return self.of_stages(truth, *self.parts(said))

    def of_stages(self, truth: Any, objectness: Any, moves: Any, proposals: Any, logits: Any, refinements: Any) -> Any:
        """Return the loss of both stages of one image."""
        return self.first_stage(truth, objectness[:, 0], moves) + self.second_stage(
            truth, proposals[:, :4], logits, refinements
        )

    def parts(self, said: Any) -> list[Any]:
        """Take the predictions of one image apart."""
        ops, found, start = keras.ops, [], 0
        for rows, columns in self.shapes():
            found.append(ops.reshape(said[start : start + rows * columns], (rows, columns)))
            start += rows * columns
        return found

    def first_stage(self, truth: Any, objectness: Any, moves: Any) -> Any:
        """Return the loss of the anchors of an image."""
        ops = keras.ops
        half = self.anchors[:, 2:] / 2
        corners = np.concatenate([self.anchors[:, :2] - half, self.anchors[:, :2] + half], -1)
        matched = _matched(ops.convert_to_tensor(corners), truth, *ANCHOR_OVERLAPS, best_of_each=True)
        positive, negative = sampling_weights(matched, ANCHOR_SAMPLE, ANCHOR_SHARE)
        errors = positive * ops.softplus(-objectness) + negative * ops.softplus(objectness)
        boxes = _box_errors(moves, truth, matched, self.anchors, self.scales) * positive
        sampled = ops.maximum(ops.sum(positive + negative), 1.0)
        return (ops.sum(errors) + self.box_weight * ops.sum(boxes)) / sampled

    def second_stage(self, truth: Any, proposals: Any, logits: Any, refinements: Any) -> Any:
        """Return the loss of the proposals of an image."""
        ops = keras.ops
        matched = _matched(proposals, truth, REGION_OVERLAP, REGION_OVERLAP)
        positive, negative = sampling_weights(matched, self.regions, REGION_SHARE)
        labels = ops.cast(ops.take(truth[:, 4], matched.object_of), "int32")
        right = ops.one_hot(ops.where(matched.positive, labels, self.classes), self.classes + 1)
        errors = -ops.sum(right * ops.log_softmax(logits, axis=-1), axis=-1) * (positive + negative)
        sides = ops.maximum(proposals[:, 2:] - proposals[:, :2], 1.0)
        places = ops.concatenate([(proposals[:, :2] + proposals[:, 2:]) / 2.0, sides], axis=-1)
        boxes = _box_errors(refinements, truth, matched, places, self.scales) * positive
        sampled = ops.maximum(ops.sum(positive + negative), 1.0)
        return (ops.sum(errors) + self.box_weight * ops.sum(boxes)) / sampled


def _matched(boxes: Any, truth: Any, high: float, low: float, best_of_each: bool = False) -> Matched:
    crowd = truth[:, 5] > 0
    there = truth[:, 4] >= 0
    return match(boxes, truth[:, :4], there & ~crowd, there & crowd, high, low, best_of_each)


def _box_errors(numbers: Any, truth: Any, matched: Matched, places: Any, scales: Sequence[float]) -> Any:
    """Return for each box the smooth L1 error of its four numbers, a square up to 1 (Girshick 2015, equation 3).

    Boxes without object get the error against their own place, which is finite.
    """
    ops = keras.ops
    places = ops.stop_gradient(ops.convert_to_tensor(places))
    middles, half = places[:, :2], places[:, 2:] / 2.0
    own = ops.concatenate([middles - half, middles + half], axis=-1)
    goals = ops.where(ops.expand_dims(matched.positive, 1), ops.take(truth[:, :4], matched.object_of, axis=0), own)
    error = ops.abs(numbers - encode(goals, places, ops) / np.asarray(scales, np.float32))
    return ops.sum(ops.where(error < 1.0, 0.5 * error**2, error - 0.5), axis=-1)
