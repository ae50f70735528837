"""The decoupled detection head: for each cell of each feature map, the score of each class, and a box."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.merge import Concatenate
from cnnpipe.graph.nodes.objects import PlacedBoxes
from cnnpipe.heads._detection import DetectionHead
from cnnpipe.heads._levels import stride
from cnnpipe.heads._single_stage import BOXES, MIDDLE, SCORES, SingleStage

LEARNED = "boxes_and_logits"
"""The output that only the loss reads, which needs both at once."""


class Decoupled(SingleStage, DetectionHead):
    """Two branches of convolutions at each level, one for scores and one for boxes (Ge et al. 2021, section 2.1).

    Each cell says one box, relative to a square anchor in its middle; no cell has several anchors.
    """

    also_called: ClassVar[tuple[str, ...]] = ("detection", "decoupled_head", "anchor_free", "single_stage", "yolo")
    type: Literal["decoupled"] = "decoupled"

    def expand(
        self, graph: GraphBuilder, maps: Mapping[str, Tensor], classes: int, image: tuple[int, int], learning: bool
    ) -> Mapping[str, Tensor]:
        """Add the head, and return boxes (positions, 4), scores (positions, classes), and both side by side to learn.

        What is learned holds the logits of the scores.

        Raises:
            ProblemError: One of the maps is missing, or is smaller than the image divided by its stride.
        """
        boxes, logits = self.found(graph, maps, classes, image)
        outputs = {BOXES: boxes, SCORES: graph.add(Activation("sigmoid"), logits)}
        if learning:
            outputs[LEARNED] = graph.add(Concatenate(), self.relative(graph, boxes), logits)
        return outputs

    def placed(
        self, graph: GraphBuilder, outputs: Mapping[str, Tensor], image: tuple[int, int]
    ) -> tuple[Tensor, Tensor]:
        """Return the box of each cell, and its scores."""
        cells, strides = zip(*((size, stride(name)) for name, size in self.cells(image).items()), strict=True)
        return graph.add(PlacedBoxes(cells, strides, self.anchor_scale, MIDDLE), outputs[BOXES]), outputs[SCORES]

    def training_targets(self, targets: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return boxes, labels and crowds as the six columns that the loss reads."""
        import keras

        rest = [keras.ops.expand_dims(keras.ops.cast(targets[key], "float32"), -1) for key in ("labels", "crowd")]
        return {LEARNED: keras.ops.concatenate([targets["boxes"], *rest], -1)}

    def losses(self, classes: int, image: tuple[int, int]) -> Mapping[str, Any]:
        """Return the loss of boxes and scores together."""
        from cnnpipe.losses.task_aligned_detection import TaskAlignedDetection

        loss = TaskAlignedDetection(
            self.anchors(image).tolist(), self.anchor_scale, self.box_loss, self.classification_loss,
            self.classification_weight, self.box_weight, self.cells_per_object,
        )  # fmt: skip
        return {BOXES: None, SCORES: None, LEARNED: loss}
