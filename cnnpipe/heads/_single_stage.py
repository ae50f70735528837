"""What single-stage heads share: branches of convolutions at each level that say a box and scores for each cell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from cnnpipe.blocks._fields import Normalize, NotNegative, Positive
from cnnpipe.blocks._layers import convolution, depthwise, normalized
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.activation import Activation, ActivationName
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.graph.nodes.positions import ConcatenatePositions
from cnnpipe.graph.nodes.rearrange import Reshape
from cnnpipe.graph.nodes.rescaling import Rescaling
from cnnpipe.heads._detection import Candidates, ObjectHead
from cnnpipe.heads._levels import cells, read
from cnnpipe.necks import Level

if TYPE_CHECKING:
    import numpy as np

BOXES, SCORES = "boxes", "scores"
"""Outputs."""
BOX_VALUES = 4
MIDDLE = 3.0
"""What is added to the numbers of boxes, which then go from 0 to twice this: sides from a twentieth to twenty times
that of the anchor. Cells that learned no box would say any number, and int8 has coarse steps for a wide range. It is
not taken off again in the network: in int8 it lies between two steps, and all boxes would be rounded to one side."""


class SingleStage(ObjectHead):
    """Base of heads with one square anchor in the middle of each cell, and branches of convolutions at each level."""

    levels: Annotated[tuple[Level, ...], Field(min_length=1)] = ("P3", "P4", "P5")
    """The maps that it reads: small objects need fine ones, large objects coarse ones."""
    filters: Positive | None = None
    """Channels of the convolutions; when left out those of the map."""
    repeat: NotNegative = 2
    """Convolutions of each branch before its last one."""
    separable: bool = False
    """Whether 3x3 convolutions are taken apart, each channel by itself, then 1x1 across the channels, each part
    normalized: about eight times fewer multiply-adds."""
    batch_normalization: Normalize = True
    """Normalize between convolution and activation: true, false, or options such as `{epsilon: 1e-5}`."""
    activation: ActivationName = "relu6"
    """Keras's name of the activation; one that ends somewhere keeps a range for which int8 has fine steps."""
    anchor_scale: float = Field(default=4.0, gt=0)
    """Side of the box that a cell says before it has learned anything, in strides of its level."""
    prior_probability: float = Field(default=0.01, gt=0, lt=1)
    """Score that every class has before anything is learned, so that the many cells without object do not rule the
    first steps (Lin et al. 2017, section 4.1)."""

    box_loss: Literal["iou", "giou", "diou", "ciou"] = "ciou"
    """Which measure of overlap the boxes learn to raise."""
    classification_loss: Literal["crossentropy", "varifocal"] = "crossentropy"
    """Cross-entropy with how good the box is as the score to say; `varifocal` counts easy cells without object less."""
    box_weight: float = Field(default=2.5, ge=0)
    """How much the boxes count in the loss."""
    classification_weight: float = Field(default=1.0, gt=0)
    """How much the scores count in the loss."""
    cells_per_object: int = Field(default=13, ge=1)
    """How many cells learn an object: those that find it best so far (task-aligned assignment)."""

    # ── the network ──────────────────────────────────────────────────────────────────────────────────────────────

    def found(
        self, graph: GraphBuilder, maps: Mapping[str, Tensor], classes: int, image: tuple[int, int], more: int = 0
    ) -> list[Tensor]:
        """Add the branches; return boxes (positions, 4), logits (positions, classes), and `more` values if wanted.

        Positions are the cells, row by row, of the maps of `levels`. The numbers of the boxes are those of
        `boxes/anchors.py` and `MIDDLE`; further values come from the branch of the boxes.

        Raises:
            ProblemError: One of the maps is missing, or is smaller than the image divided by its stride.
        """
        levels = []
        for name in self.levels:
            with graph.block((), name):
                levels.append(self._branches(graph, read(graph, maps, name, image), classes, more))
        return [
            graph.add(ConcatenatePositions(), *parts) if len(parts) > 1 else parts[0]
            for parts in zip(*levels, strict=True)
        ]

    def relative(self, graph: GraphBuilder, boxes: Tensor) -> Tensor:
        """Return the numbers of the boxes as `boxes/anchors.py` has them, for losses."""
        return graph.add(Rescaling(1.0, -MIDDLE), boxes)

    def cells(self, image: tuple[int, int]) -> dict[str, tuple[int, int]]:
        """Return height and width of the maps that it reads, for images of this height and width."""
        return {name: cells(name, image) for name in self.levels}

    def _branches(self, graph: GraphBuilder, tensor: Tensor, classes: int, more: int) -> list[Tensor]:
        prior = -math.log((1 - self.prior_probability) / self.prior_probability)
        places = self._convolved(graph, tensor)
        boxes = graph.add(Convolution(BOX_VALUES, 1, bias_start=MIDDLE), places)
        boxes = graph.add(Activation("relu6"), boxes)  # from 0 to twice the middle
        logits = graph.add(Convolution(classes, 1, bias_start=prior), self._convolved(graph, tensor))
        further = [graph.add(Convolution(more, 1), places)] if more else []
        return [listed(graph, found) for found in (boxes, logits, *further)]

    def _convolved(self, graph: GraphBuilder, tensor: Tensor) -> Tensor:
        filters, bias = self.filters or tensor.shape[-1], not self.batch_normalization
        for _ in range(self.repeat):
            if self.separable:
                tensor = depthwise(graph, tensor, 3, use_bias=bias)
                tensor = normalized(graph, tensor, self.batch_normalization, "linear")
            tensor = convolution(graph, tensor, filters, 1 if self.separable else 3, use_bias=bias)
            tensor = normalized(graph, tensor, self.batch_normalization, self.activation)
        return tensor

    # ── what its outputs mean ────────────────────────────────────────────────────────────────────────────────────

    def meanings(self, class_names: Sequence[str]) -> Mapping[str, str]:
        """Return what boxes and scores of all cells hold."""
        boxes = (
            "a box for each cell, level by level and row by row, as (y, x, height, width): its middle relative to that "
            "of the cell, in sides of the anchor, and the natural logarithms of its sides, in sides of the anchor, "
            "each with `middle` added; an anchor is a square of anchor_scale strides, and the stride of level Pn is 2 "
            "to the power of n"
        )
        scores = f"how sure each class is in each cell, 0 to 1, in this order: {', '.join(class_names)}"
        return {BOXES: boxes, SCORES: scores}

    def decoding(self, image: tuple[int, int]) -> Mapping[str, Any]:
        """Return where the cells are."""
        return {"levels": self.cells(image), "anchor_scale": self.anchor_scale, "middle": MIDDLE}

    def candidates(
        self, outputs: Mapping[str, np.ndarray], image: tuple[int, int], score_threshold: float
    ) -> Candidates:
        """Return the box of each cell under its best class."""
        import numpy as np

        from cnnpipe.boxes.anchors import decode

        labels, best = outputs[SCORES].argmax(1), outputs[SCORES].max(1)
        sure = np.flatnonzero(best >= score_threshold)
        boxes = decode(np.asarray(outputs[BOXES], np.float32)[sure] - MIDDLE, self.anchors(image)[sure])
        return Candidates(boxes, labels[sure], best[sure])

    def anchors(self, image: tuple[int, int]) -> np.ndarray:
        """Return the anchors for images of this height and width, `(positions, 4)` as `center_xywh`."""
        from cnnpipe.boxes import anchors

        return anchors.anchors(self.cells(image), self.anchor_scale)


def listed(graph: GraphBuilder, tensor: Tensor) -> Tensor:
    """Return a map as the list of its positions."""
    return graph.add(Reshape((math.prod(tensor.shape[:-1]), tensor.shape[-1])), tensor)
