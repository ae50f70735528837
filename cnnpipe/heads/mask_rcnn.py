"""Mask R-CNN: regions are proposed, looked at one by one, and the best of them get a mask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from cnnpipe.blocks._fields import NotNegative, Positive
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.merge import Concatenate
from cnnpipe.graph.nodes.rearrange import Reshape
from cnnpipe.graph.nodes.regions import AlignedRegions, ConvolvedRegions, DistinctBoxes, SideBySide
from cnnpipe.heads._detection import Candidates, MaskHead
from cnnpipe.heads._two_stage import BOX_VALUES, Found, TwoStage

if TYPE_CHECKING:
    import numpy as np

OBJECTS, MASKS, LEARNED = "objects", "masks", "two_stages_and_masks"
"""Outputs: what is exported, and what only the loss reads, which needs everything at once."""
AT_ONCE = 64
"""How many masks are put into the image at once, so that memory is bounded."""


class MaskRCNN(TwoStage, MaskHead):
    """Faster R-CNN, and convolutions that say a mask for the best of the refined boxes (He et al. 2017).

    Masks are learned and said in refined boxes, not in proposals, so that training sees what is used later; one mask
    serves all classes. For devices with an operating system: its files stay in float, or have weights of 8 bits.
    """

    also_called: ClassVar[tuple[str, ...]] = ("mask_r_cnn", "maskrcnn", "instances", "two_stage_masks")
    type: Literal["mask_rcnn"] = "mask_rcnn"
    masks: Positive = 50
    """How many boxes get a mask, always: no image can have more objects. At most as many as regions."""
    mask_iou_threshold: float = Field(default=0.6, ge=0, le=1)
    """Of two boxes that overlap more than this only the better one gets a mask, as long as there are others."""
    mask_region_size: Annotated[int, Field(ge=1, le=64)] = 14
    """Rows and columns that these boxes are brought to; masks have twice as many."""
    mask_repeat: NotNegative = 4
    """Convolutions of each region before it is enlarged."""
    mask_filters: Positive | None = None
    """Channels of these convolutions; when left out those of the map."""
    mask_weight: float = Field(default=1.0, ge=0)
    """How much masks count in the loss, against scores."""

    # ── the network ──────────────────────────────────────────────────────────────────────────────────────────────

    def expand(
        self, graph: GraphBuilder, maps: Mapping[str, Tensor], classes: int, image: tuple[int, int], learning: bool
    ) -> Mapping[str, Tensor]:
        """Add the head, and return objects (masks, 4 + classes + 1), masks (masks, rows, columns), and what is learned.

        Raises:
            ProblemError: As `TwoStage.stages` says, or there are fewer regions than masks.
        """
        found = self.stages(graph, maps, classes, image)
        with graph.block((), "masks"):
            rows = graph.add(Concatenate(), found.boxes, found.scores)
            objects = graph.add(DistinctBoxes(self.masks, self.mask_iou_threshold, classes), rows)
            logits = self._mask_logits(graph, found, objects)
            size = 2 * self.mask_region_size
            masks = graph.add(Reshape((self.masks, size, size)), graph.add(Activation("sigmoid"), logits))
        learned = {LEARNED: graph.add(SideBySide(), *found.learned, objects, logits)} if learning else {}
        return {OBJECTS: objects, MASKS: masks} | learned

    def _mask_logits(self, graph: GraphBuilder, found: Found, objects: Tensor) -> Tensor:
        node = AlignedRegions(found.strides, self.mask_region_size, self.samples)
        tensor = graph.add(node, objects, *found.maps)
        filters = self.mask_filters or tensor.shape[-1]
        for _ in range(self.mask_repeat):
            tensor = graph.add(Activation("relu"), graph.add(ConvolvedRegions(filters), tensor))
        tensor = graph.add(Activation("relu"), graph.add(ConvolvedRegions(filters, enlarged=True), tensor))
        return graph.add(ConvolvedRegions(1, 1), tensor)

    # ── what its outputs mean ────────────────────────────────────────────────────────────────────────────────────

    def meanings(self, class_names: Sequence[str]) -> Mapping[str, str]:
        """Return what objects and masks hold."""
        objects = (
            "a row for each box: left, top, right, bottom in pixels of the input, then "
            f"{self.score_sentence(class_names)}"
        )
        masks = (
            "how likely the object is seen in each part of its box, 0 to 1, row by row; in pixels of the input it is "
            "bilinear between the middles of these parts, and seen from 0.5 on"
        )
        return {OBJECTS: objects, MASKS: masks}

    def decoding(self, image: tuple[int, int]) -> Mapping[str, Any]:
        """Return how many objects there are at most, and the size of a mask."""
        return {"masks": self.masks, "mask_size": 2 * self.mask_region_size}

    def candidates(
        self, outputs: Mapping[str, np.ndarray], image: tuple[int, int], score_threshold: float
    ) -> Candidates:
        """Return each box under each class that is likely enough, with its mask."""
        import numpy as np

        boxes, scores = np.asarray(outputs[OBJECTS][:, :BOX_VALUES], np.float32), outputs[OBJECTS][:, BOX_VALUES:-1]
        region, label = np.nonzero(scores >= score_threshold)

        def masks(rows: np.ndarray) -> np.ndarray:
            parts = [np.zeros((0, *image), bool)]
            for start in range(0, len(rows), AT_ONCE):
                some = region[rows[start : start + AT_ONCE]]
                parts.append(pasted(np.asarray(outputs[MASKS], np.float32)[some], boxes[some], image))
            return np.concatenate(parts)

        return Candidates(boxes[region], label, scores[region, label], masks)

    # ── training ─────────────────────────────────────────────────────────────────────────────────────────────────

    def training_targets(self, targets: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the rows of the objects, then the mask of instances, as the one list that the loss reads."""
        import keras

        ops = keras.ops
        parts = (self.box_columns(targets), ops.cast(targets["instance_masks"], "float32"))
        batch = ops.shape(parts[0])[0]
        return {LEARNED: ops.concatenate([ops.reshape(part, (batch, -1)) for part in parts], axis=1)}

    def losses(self, classes: int, image: tuple[int, int]) -> Mapping[str, Any]:
        """Return the loss of boxes, classes and masks together."""
        from cnnpipe.losses.two_stage_masks import TwoStageMasks

        options = self.loss_options(classes, image)
        loss = TwoStageMasks(
            **options, masks=self.masks, mask_size=2 * self.mask_region_size, image=image, mask_weight=self.mask_weight
        )
        return {OBJECTS: None, MASKS: None, LEARNED: loss}


def pasted(masks: np.ndarray, boxes: np.ndarray, image: tuple[int, int]) -> np.ndarray:
    """Return which pixels of the image each object has.

    Args:
        masks: `(n, rows, columns)`, how likely each part of a box shows its object.
        boxes: `(n, 4)` as `xyxy`, in pixels.
        image: Height and width.

    Returns:
        Bool `(n, height, width)`: where a mask, bilinear between the middles of its parts, is 0.5 or more in its box.
    """
    import numpy as np

    sides = []
    for axis, (length, parts) in enumerate(zip(image, masks.shape[1:], strict=True)):
        low, high = boxes[:, 1 - axis, None], boxes[:, 3 - axis, None]
        middle = np.arange(length, dtype=np.float32)[None] + 0.5
        at = np.clip((middle - low) / np.maximum(high - low, 1e-6) * parts - 0.5, 0, parts - 1)
        weights = np.maximum(0, 1 - np.abs(at[..., None] - np.arange(parts, dtype=np.float32)))
        sides.append(weights * ((middle >= low) & (middle < high))[..., None])  # (n, length, parts)
    found: np.ndarray = np.matmul(np.matmul(sides[0], masks), sides[1].transpose(0, 2, 1)) >= 0.5
    return found
