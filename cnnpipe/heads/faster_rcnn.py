"""Faster R-CNN: regions are proposed, then looked at one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.objects import Columns
from cnnpipe.graph.nodes.rearrange import Reshape
from cnnpipe.graph.nodes.regions import SideBySide
from cnnpipe.heads._detection import Candidates, DetectionHead
from cnnpipe.heads._two_stage import TwoStage

if TYPE_CHECKING:
    import numpy as np

BOXES, SCORES, LEARNED = "boxes", "scores", "two_stages"
"""Outputs: what is exported, and what only the loss reads, which needs both stages at once."""


class FasterRCNN(TwoStage, DetectionHead):
    """Anchors at every level propose regions, RoIAlign reads the maps there, dense layers say class and better box.

    Ren et al. 2015 on a feature pyramid (Lin et al. 2017), both stages trained together; one box for all classes of a
    region. For devices with an operating system: its files stay in float, or have weights of 8 bits.
    """

    also_called: ClassVar[tuple[str, ...]] = ("two_stage", "rcnn", "fast_rcnn", "faster_r_cnn", "rpn")
    type: Literal["faster_rcnn"] = "faster_rcnn"

    def expand(
        self, graph: GraphBuilder, maps: Mapping[str, Tensor], classes: int, image: tuple[int, int], learning: bool
    ) -> Mapping[str, Tensor]:
        """Add the head, and return boxes (regions, 4), scores (regions, classes + 1), and what the loss reads, flat.

        Raises:
            ProblemError: As `TwoStage.stages` says.
        """
        found = self.stages(graph, maps, classes, image)
        learned = {LEARNED: graph.add(SideBySide(), *found.learned)} if learning else {}
        return {BOXES: found.boxes, SCORES: found.scores} | learned

    def placed(
        self, graph: GraphBuilder, outputs: Mapping[str, Tensor], image: tuple[int, int]
    ) -> tuple[Tensor, Tensor] | None:
        """Return the boxes, and the scores without that of the background."""
        regions, columns = outputs[SCORES].shape
        scores = graph.add(Columns(0, columns - 1), outputs[SCORES])
        return outputs[BOXES], graph.add(Reshape((regions, columns - 1)), scores)

    def meanings(self, class_names: Sequence[str]) -> Mapping[str, str]:
        """Return what boxes and scores hold."""
        boxes = "a box for each region, as left, top, right, bottom in pixels of the input"
        return {BOXES: boxes, SCORES: self.score_sentence(class_names)}

    def decoding(self, image: tuple[int, int]) -> Mapping[str, Any]:
        """Return how many regions there are."""
        return {"regions": self.regions}

    def candidates(
        self, outputs: Mapping[str, np.ndarray], image: tuple[int, int], score_threshold: float
    ) -> Candidates:
        """Return the box of each region under each class that is likely enough."""
        import numpy as np

        region, label = np.nonzero(outputs[SCORES][:, :-1] >= score_threshold)
        return Candidates(outputs[BOXES][region].astype(np.float32), label, outputs[SCORES][region, label])

    def training_targets(self, targets: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what the loss reads."""
        return {LEARNED: self.box_columns(targets)}

    def losses(self, classes: int, image: tuple[int, int]) -> Mapping[str, Any]:
        """Return the loss of both stages together."""
        from cnnpipe.losses.two_stage_detection import TwoStageDetection

        return {BOXES: None, SCORES: None, LEARNED: TwoStageDetection(**self.loss_options(classes, image))}
