"""Non-maximum suppression to a list of fixed length, by the operator that LiteRT has for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf


class NonMaxSuppression(keras.layers.Layer):  # type: ignore[misc]
    """Returns the surest boxes without those that overlap a surer one too much, the surest first.

    Each box stands under its likeliest class. Rows hold top, left, bottom and right as shares of the image, cut at its
    edges, the number of the class, the score, and how many rows are objects; the others are zero but for that.

    Input shape: boxes `(batch, n, 4)` as `xyxy` in pixels, scores `(batch, n, classes)`.
    Output shape: `(batch, count, 7)`.

    Args:
        image: Height and width of the image in pixels.
        count: How many rows there are.
        iou_threshold: The largest overlap (intersection over union) of two boxes that are both given.
        score_threshold: Boxes with a lower score are not given.
        per_class: Whether boxes of different classes may overlap as they like.
        kwargs: What every layer takes, such as `name`.
    """

    def __init__(
        self,
        image: Sequence[int],
        count: int,
        iou_threshold: float,
        score_threshold: float,
        per_class: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._image, self._count, self._per_class = tuple(image), count, per_class
        self._thresholds = {"iou_threshold": iou_threshold, "score_threshold": score_threshold}

    def call(self, inputs: Any) -> Any:
        """Return the rows."""
        boxes, scores = inputs
        if boxes.shape[0] == 1:  # as in a file: no loop over examples
            return tf.expand_dims(self._of_one((tf.squeeze(boxes, 0), tf.squeeze(scores, 0))), 0)
        return tf.map_fn(self._of_one, (boxes, scores), fn_output_signature=tf.float32)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the list."""
        return (input_shape[0][0], self._count, 7)

    def _of_one(self, example: Any) -> Any:
        boxes, scores = example
        height, width = self._image
        labels = tf.cast(tf.argmax(scores, -1, tf.int32), tf.float32)[:, None]
        best = tf.reduce_max(scores, -1)
        # classes side by side, so far apart that no box reaches into the next class
        far = 1.0 + tf.reduce_max(boxes) - tf.reduce_min(boxes)
        apart = boxes + labels * far if self._per_class else boxes
        chosen, number = tf.raw_ops.NonMaxSuppressionV4(
            boxes=apart,
            scores=best,
            max_output_size=self._count,
            pad_to_max_output_size=True,
            **self._thresholds,
        )
        left, top, right, bottom = tf.split(boxes / [width, height, width, height], 4, -1)
        shares = tf.clip_by_value(tf.concat([top, left, bottom, right], -1), 0.0, 1.0)
        rows = tf.gather(tf.concat([shares, labels, best[:, None]], -1), chosen)
        here = tf.cast(tf.range(self._count) < number, tf.float32)[:, None]
        counted = tf.ones((self._count, 1)) * tf.cast(number, tf.float32)
        return tf.concat([rows * here, counted], -1)
