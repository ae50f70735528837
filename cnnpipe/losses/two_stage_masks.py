"""The loss of two-stage detectors with masks: that of boxes and classes, and cross-entropy of the masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from cnnpipe.boxes.matching import match
from cnnpipe.losses.two_stage_detection import COLUMNS, REGION_OVERLAP, TwoStageDetection


class TwoStageMasks(TwoStageDetection):
    """Boxes and classes as `TwoStageDetection`, and masks of the boxes that have an object (He et al. 2017, section 3).

    Args:
        anchors: `(n, 4)` as `center_xywh` in pixels of the input.
        regions: How many proposals.
        classes: How many classes, without the background.
        scales: What the numbers of boxes are multiplied by, in both stages.
        masks: How many boxes have a mask.
        mask_size: Rows and columns of a mask.
        image: Height and width of the input.
        box_weight: How much boxes count, against scores.
        mask_weight: How much masks count.
        name: Keras's name of the loss.

    Input shape:
        Targets `(batch, m * 6 + height * width)`: the rows of `TwoStageDetection`, then the mask of instances, k where
        row k - 1 is seen. Predictions as there, then the boxes with a mask (masks, 5 + classes) and their masks (masks,
        mask_size ** 2) as logits.
    """

    def __init__(
        self,
        anchors: Sequence[Sequence[float]],
        regions: int,
        classes: int,
        scales: Sequence[float],
        masks: int,
        mask_size: int,
        image: tuple[int, int],
        box_weight: float = 1.0,
        mask_weight: float = 1.0,
        name: str = "two_stage_masks",
    ) -> None:
        super().__init__(anchors, regions, classes, scales, box_weight, name)
        self.masks, self.mask_size, self.image, self.mask_weight = masks, mask_size, tuple(image), mask_weight

    def get_config(self) -> dict[str, Any]:
        """Return what makes this loss again."""
        names = ("masks", "mask_size", "image", "mask_weight")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    def shapes(self) -> list[tuple[int, int]]:
        """Return the shapes of what the predictions hold."""
        return [*super().shapes(), (self.masks, 5 + self.classes), (self.masks, self.mask_size**2)]

    def of_image(self, truth: Any, said: Any) -> Any:
        """Return the loss of one image."""
        ops = keras.ops
        pixels = self.image[0] * self.image[1]
        rows = ops.reshape(truth[:-pixels], (-1, COLUMNS))
        *stages, objects, logits = self.parts(said)
        return self.of_stages(rows, *stages) + self.mask_weight * self.of_masks(
            rows, ops.reshape(truth[-pixels:], self.image), objects[:, :4], logits
        )

    def of_masks(self, rows: Any, instances: Any, boxes: Any, logits: Any) -> Any:
        """Return the mean cross-entropy of the masks in boxes that have an object; 0 where none has."""
        ops = keras.ops
        boxes = ops.stop_gradient(boxes)
        there, crowd = rows[:, 4] >= 0, rows[:, 5] > 0
        found = match(boxes, rows[:, :4], there & ~crowd, there & crowd, REGION_OVERLAP, REGION_OVERLAP)
        goals = self.goals(instances, boxes, found.object_of)
        errors = ops.mean(ops.relu(logits) - logits * goals + ops.softplus(-ops.abs(logits)), axis=-1)
        positive = ops.cast(found.positive, "float32")
        return ops.sum(errors * positive) / ops.maximum(ops.sum(positive), 1.0)

    def goals(self, instances: Any, boxes: Any, object_of: Any) -> Any:
        """Return what the masks should say, `(masks, mask_size ** 2)`: 1 where most of a point shows the object.

        Points lie in the middles of a box's parts; each is bilinear between the four pixels around it.
        """
        ops = keras.ops
        height, width = self.image
        share = (ops.arange(self.mask_size, dtype="float32") + 0.5) / self.mask_size
        flat, number = ops.reshape(instances, (-1,)), ops.cast(ops.expand_dims(object_of + 1, 1), "float32")
        lines = []
        for axis, limit in ((1, height), (0, width)):
            low, side = boxes[:, axis : axis + 1], boxes[:, axis + 2 : axis + 3] - boxes[:, axis : axis + 1]
            at = ops.clip(low + side * share - 0.5, 0.0, limit - 1.0)  # (masks, size)
            before = ops.floor(at)
            after = ops.minimum(before + 1.0, limit - 1.0)
            lines.append(((before, 1.0 - at + before), (after, at - before)))
        total = 0.0
        for row, row_share in lines[0]:
            for column, column_share in lines[1]:
                at = ops.expand_dims(row * width, 2) + ops.expand_dims(column, 1)
                value = ops.take(flat, ops.reshape(ops.cast(at, "int32"), (self.masks, -1)))
                weight = ops.reshape(ops.expand_dims(row_share, 2) * ops.expand_dims(column_share, 1), (self.masks, -1))
                total = total + ops.cast(value == number, "float32") * weight
        return ops.cast(total >= 0.5, "float32")
