"""Which anchors learn which objects: task-aligned assignment (Feng et al. 2021, section 3.2), on tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

from cnnpipe.boxes.overlaps import EPSILON, overlap

LEAST_OVERLAP = 0.01
"""Counted for boxes that do not overlap yet, so that the score alone decides between them."""


@dataclass(frozen=True)
class Assigned:
    """What each anchor learns.

    Args:
        boxes: `(batch, n, 4)`, the object's box as `xyxy`; of no meaning where there is none.
        scores: `(batch, n, classes)`, what to say: 0, and for the class of its object how good the anchor is for it.
        positive: `(batch, n)` bool, whether it has an object.
        objects: `(batch, n)`, the row of its object; of no meaning where there is none.
    """

    boxes: Any
    scores: Any
    positive: Any
    objects: Any


def assign(
    scores: Any, boxes: Any, anchors: Any, strides: Any, true_boxes: Any, true_labels: Any,
    top: int = 13, alpha: float = 1.0, beta: float = 6.0,
) -> Assigned:  # fmt: skip
    """Return for each anchor its object, by how well the network already finds the object there.

    An object takes the `top` anchors with the best `score ** alpha * iou ** beta` of those whose middle lies in its box
    or whose cell its own middle lies in (so that no object is too small for any); an anchor that several take learns
    the one that its box overlaps most. Its target score is that measure, scaled such that the best anchor of an object
    has the largest IoU of the object's anchors. No gradient goes through any of it.

    Args:
        scores: `(batch, n, classes)`, probabilities that the network gives.
        boxes: `(batch, n, 4)`, boxes that it gives, as `xyxy`.
        anchors: `(n, 2)`, column and row of the middle of each anchor.
        strides: `(n,)`, side of the anchors' cells.
        true_boxes: `(batch, m, 4)` as `xyxy`.
        true_labels: `(batch, m)`, classes; below 0 for rows that hold no object.
        top: How many anchors an object takes at most, of equally good ones more.
        alpha: Exponent of the score.
        beta: Exponent of the overlap.
    """
    ops = keras.ops
    scores, boxes = ops.stop_gradient(scores), ops.stop_gradient(boxes)
    labels = ops.cast(true_labels, "int32")
    real = ops.expand_dims(labels >= 0, -1)
    classes = ops.one_hot(ops.maximum(labels, 0), scores.shape[-1], dtype=scores.dtype)
    iou = overlap(ops.expand_dims(true_boxes, 2), ops.expand_dims(boxes, 1), ops=ops)  # (batch, m, n)
    aligned = ops.matmul(classes, ops.transpose(scores, (0, 2, 1))) ** alpha * ops.maximum(iou, LEAST_OVERLAP) ** beta
    aligned = ops.where(_candidates(anchors, strides, true_boxes) & real, aligned, 0.0)
    least = ops.top_k(aligned, min(top, aligned.shape[-1]))[0][..., -1:]
    taken = (aligned >= least) & (aligned > 0)
    object_of = ops.argmax(ops.where(taken, iou, -1.0), axis=1)  # (batch, n)
    rows = ops.arange(ops.shape(true_boxes)[1], dtype=object_of.dtype)  # how many may differ from batch to batch
    mine = (ops.expand_dims(object_of, 1) == ops.reshape(rows, (1, -1, 1))) & taken
    quality = _quality(ops.where(mine, aligned, 0.0), ops.where(mine, iou, 0.0))
    chosen = ops.transpose(ops.cast(mine, scores.dtype), (0, 2, 1))  # (batch, n, m), one 1 at most in a row
    target = ops.matmul(chosen, classes) * ops.expand_dims(quality, -1)
    return Assigned(ops.matmul(chosen, true_boxes), ops.stop_gradient(target), ops.any(mine, axis=1), object_of)


def inside(anchors: Any, boxes: Any) -> Any:
    """Return whether the middle of each anchor lies in each box, `(batch, m, n)`."""
    ops = keras.ops
    boxes = ops.expand_dims(boxes, 2)
    return ops.all((anchors > boxes[..., :2]) & (anchors < boxes[..., 2:]), axis=-1)


def _candidates(anchors: Any, strides: Any, boxes: Any) -> Any:
    ops = keras.ops
    middle = ops.expand_dims((boxes[..., :2] + boxes[..., 2:]) / 2.0, 2)
    near = ops.all(ops.abs(anchors - middle) <= ops.expand_dims(strides, -1) / 2.0, axis=-1)
    return inside(anchors, boxes) | near


def _quality(aligned: Any, iou: Any) -> Any:
    """Return the target score of each anchor, `(batch, n)`, from what is left of its objects' measures."""
    ops = keras.ops
    best = ops.max(aligned, axis=-1, keepdims=True)
    share = aligned / ops.maximum(best, EPSILON**4)
    return ops.max(share * ops.max(iou, axis=-1, keepdims=True), axis=1)
