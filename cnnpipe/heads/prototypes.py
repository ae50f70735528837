"""The prototype head: boxes and scores for each cell, and masks as sums of prototypes of the whole image."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from cnnpipe.blocks._fields import NotNegative, Positive
from cnnpipe.blocks._layers import convolution, normalized
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.graph.nodes.merge import Concatenate
from cnnpipe.graph.nodes.rearrange import Flatten
from cnnpipe.graph.nodes.resize import Resizing
from cnnpipe.heads._detection import Candidates, MaskHead
from cnnpipe.heads._levels import read
from cnnpipe.heads._single_stage import BOXES, SCORES, SingleStage
from cnnpipe.necks import Level

if TYPE_CHECKING:
    import numpy as np

COEFFICIENTS, PROTOTYPES, LEARNED = "coefficients", "prototypes", "all_values"
"""Outputs: what is exported beside boxes and scores, and what only the loss reads, which needs all at once."""
AT_ONCE = 64
"""How many masks are computed at once, so that memory is bounded."""


class Prototypes(SingleStage, MaskHead):
    """The single-stage head of YOLACT (Bolya et al. 2019, section 3), on the branches of the decoupled head.

    Prototypes are maps of the whole image; each cell says, beside its box and scores, how much each of them counts. The
    sigmoid of their sum, inside of the box, is the mask.
    """

    also_called: ClassVar[tuple[str, ...]] = ("yolact", "prototype_masks", "instance", "instances", "masks")
    type: Literal["prototypes"] = "prototypes"
    prototypes: Positive = 32
    """How many prototypes there are."""
    prototype_level: Level = "P3"
    """The map that they are made of: the finer, the finer the masks."""
    prototype_filters: Positive | None = None
    """Channels of the convolutions before them; when left out those of the map."""
    prototype_repeat: NotNegative = 3
    """Convolutions before them, the one after enlarging not counted."""
    enlarged: bool = True
    """Whether the map is made twice as large, and convolved once more, before prototypes come out."""

    mask_weight: float = Field(default=1.0, ge=0)
    """How much cross-entropy of the masks counts in the loss."""
    dice_weight: float = Field(default=1.0, ge=0)
    """How much the Dice loss of the masks counts, which takes small parts as seriously as large ones."""
    masks_per_image: Positive = 64
    """How many masks of an image are compared in a step at most; more take more memory."""

    def expand(
        self, graph: GraphBuilder, maps: Mapping[str, Tensor], classes: int, image: tuple[int, int], learning: bool
    ) -> Mapping[str, Tensor]:
        """Add the head, and return boxes, scores, coefficients (positions, number), prototypes (height, width, number).

        Each is a tensor of its own, so that none shares its scale in int8 with another. What is learned holds all
        values as one list.

        Raises:
            ProblemError: One of the maps is missing, or is smaller than the image divided by its stride.
        """
        boxes, logits, values = self.found(graph, maps, classes, image, self.prototypes)
        coefficients = graph.add(Activation("tanh"), values)
        with graph.block((), "prototypes"):
            prototypes = self._prototypes(graph, maps, image)
        outputs = {
            BOXES: boxes, SCORES: graph.add(Activation("sigmoid"), logits), COEFFICIENTS: coefficients,
            PROTOTYPES: prototypes,
        }  # fmt: skip
        if learning:
            rows = graph.add(Flatten(), graph.add(Concatenate(), self.relative(graph, boxes), logits, coefficients))
            outputs[LEARNED] = graph.add(Concatenate(), rows, graph.add(Flatten(), prototypes))
        return outputs

    def _prototypes(self, graph: GraphBuilder, maps: Mapping[str, Tensor], image: tuple[int, int]) -> Tensor:
        tensor = read(graph, maps, self.prototype_level, image)
        for _ in range(self.prototype_repeat):
            tensor = self._finer(graph, tensor)
        if self.enlarged:
            tensor = graph.add(Resizing(self._size(image), "bilinear"), tensor)
            tensor = self._finer(graph, tensor)
        return graph.add(Activation("relu6"), graph.add(Convolution(self.prototypes, 1), tensor))

    def _finer(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        filters = self.prototype_filters or tensor.shape[-1]
        tensor = convolution(graph, tensor, filters, 3, use_bias=not self.batch_normalization)
        return normalized(graph, tensor, self.batch_normalization, self.activation)

    def _stride(self) -> int:
        """Return how many pixels of the image one of the prototypes stands for, on each axis."""
        return int(max(1, 2 ** int(self.prototype_level[1:]) // (2 if self.enlarged else 1)))

    def _size(self, image: tuple[int, int]) -> tuple[int, int]:
        """Return height and width of the prototypes."""
        return math.ceil(image[0] / self._stride()), math.ceil(image[1] / self._stride())

    # ── what its outputs mean ────────────────────────────────────────────────────────────────────────────────────

    def meanings(self, class_names: Sequence[str]) -> Mapping[str, str]:
        """Return what each output holds."""
        coefficients = "how much each prototype counts in the mask of the object in each cell, in the order of boxes"
        prototypes = (
            "maps of the whole image; a mask is where their sum, each times its coefficient, is above 0 inside of the "
            "box, after the maps were enlarged to the image (bilinear, half pixels)"
        )
        return {**super().meanings(class_names), COEFFICIENTS: coefficients, PROTOTYPES: prototypes}

    def decoding(self, image: tuple[int, int]) -> Mapping[str, Any]:
        """Return where the cells are, and how large a pixel of the prototypes is."""
        return {**super().decoding(image), "prototype_stride": self._stride()}

    def candidates(
        self, outputs: Mapping[str, np.ndarray], image: tuple[int, int], score_threshold: float
    ) -> Candidates:
        """Return the box of each cell under its best class, with its mask."""
        import numpy as np

        sure = np.flatnonzero(outputs[SCORES].max(1) >= score_threshold)
        found = super().candidates(outputs, image, score_threshold)
        coefficients = np.asarray(outputs[COEFFICIENTS], np.float32)[sure]

        def masks(rows: np.ndarray) -> np.ndarray:
            enlarged = _enlarged(np.asarray(outputs[PROTOTYPES], np.float32), image, self._stride())
            parts = [np.zeros((0, *image), bool)]
            for start in range(0, len(rows), AT_ONCE):
                some = rows[start : start + AT_ONCE]
                shown = np.tensordot(coefficients[some], enlarged, ([1], [2])) > 0
                parts.append(shown & _inside(found.boxes[some], image))
            return np.concatenate(parts)

        return replace(found, masks=masks)

    # ── training ─────────────────────────────────────────────────────────────────────────────────────────────────

    def training_targets(self, targets: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the rows of the objects, then the mask of instances, as the one list that the loss reads."""
        import keras

        ops = keras.ops
        rest = [ops.expand_dims(ops.cast(targets[key], "float32"), -1) for key in ("labels", "crowd")]
        rows, masks = ops.concatenate([targets["boxes"], *rest], -1), ops.cast(targets["instance_masks"], "float32")
        batch = ops.shape(rows)[0]
        return {LEARNED: ops.concatenate([ops.reshape(part, (batch, -1)) for part in (rows, masks)], axis=1)}

    def losses(self, classes: int, image: tuple[int, int]) -> Mapping[str, Any]:
        """Return the loss of boxes, scores and masks together."""
        from cnnpipe.losses.prototype_masks import PrototypeMasks

        loss = PrototypeMasks(
            self.anchors(image).tolist(), classes, image, (*self._size(image), self.prototypes), self._stride(),
            self.masks_per_image, self.mask_weight, self.dice_weight, scale=self.anchor_scale, box_loss=self.box_loss,
            classification_loss=self.classification_loss, classification_weight=self.classification_weight,
            box_weight=self.box_weight, top=self.cells_per_object,
        )  # fmt: skip
        return {**dict.fromkeys((BOXES, SCORES, COEFFICIENTS, PROTOTYPES)), LEARNED: loss}


def _enlarged(maps: np.ndarray, image: tuple[int, int], stride: int) -> np.ndarray:
    """Return maps, (height, width, number), at the size of the image: bilinear between the middles of their pixels."""
    import numpy as np

    rows, columns = (_weights(length, there, stride) for length, there in zip(image, maps.shape, strict=False))
    found: np.ndarray = np.tensordot(columns, np.tensordot(rows, maps, 1), ([1], [1])).transpose(1, 0, 2)
    return found


def _weights(length: int, there: int, stride: int) -> np.ndarray:
    """Return how much each of the pixels `there` counts for each of `length` pixels, (length, there)."""
    import numpy as np

    middle = np.clip((np.arange(length, dtype=np.float32) + 0.5) / stride - 0.5, 0, there - 1)
    found: np.ndarray = np.maximum(0, 1 - np.abs(middle[:, None] - np.arange(there, dtype=np.float32)))
    return found


def _inside(boxes: np.ndarray, image: tuple[int, int]) -> np.ndarray:
    """Return which pixels have their middle in each box, (n, height, width)."""
    import numpy as np

    down, across = (np.arange(length) + 0.5 for length in image)
    left, top, right, bottom = (boxes[:, side : side + 1] for side in range(4))
    columns, rows = (across > left) & (across < right), (down > top) & (down < bottom)
    found: np.ndarray = rows[:, :, None] & columns[:, None, :]
    return found
