"""What two-stage heads share: anchors propose regions, and what the maps hold there says what they show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, field_validator

from cnnpipe.blocks._fields import Positive
from cnnpipe.blocks._layers import convolution, depthwise
from cnnpipe.graph import GraphBuilder, Tensor
from cnnpipe.graph.nodes.activation import Activation
from cnnpipe.graph.nodes.convolution import Convolution
from cnnpipe.graph.nodes.dense import Dense
from cnnpipe.graph.nodes.positions import ConcatenatePositions
from cnnpipe.graph.nodes.rearrange import Reshape
from cnnpipe.graph.nodes.regions import AlignedRegions, DistinctBoxes, ProposedBoxes, RefinedBoxes
from cnnpipe.heads._detection import ObjectHead
from cnnpipe.heads._levels import cells, read, stride
from cnnpipe.necks import Level

if TYPE_CHECKING:
    import numpy as np

BOX_VALUES = 4
SCALES = (0.1, 0.1, 0.2, 0.2)
"""What the numbers of boxes are multiplied by, so that the network says numbers around 1, and begins at the anchors."""


@dataclass(frozen=True)
class Found:
    """What the two stages say.

    Args:
        maps: The maps that were read, finest first.
        strides: Pixels between their cells.
        boxes: The regions' boxes, refined.
        scores: The probability of each class in each region, that of the background last.
        learned: What the loss reads, in the order of `losses/two_stage_detection.py`.
    """

    maps: tuple[Tensor, ...]
    strides: tuple[int, ...]
    boxes: Tensor
    scores: Tensor
    learned: tuple[Tensor, ...]


class TwoStage(ObjectHead):
    """Base of heads with a region proposal network and a second stage for each region (Ren et al. 2015)."""

    listed: ClassVar[bool] = True
    levels: Annotated[tuple[Level, ...], Field(min_length=1)] = ("P2", "P3", "P4", "P5")
    """The maps that it reads, finest first, all with equally many channels: those of a feature pyramid."""
    filters: Positive | None = None
    """Channels of the convolution by which anchors are judged; when left out those of the map."""
    separable: bool = False
    """Whether that convolution is taken apart, each channel by itself, then 1x1 across the channels: about eight times
    fewer multiply-adds."""
    anchor_scale: float = Field(default=8.0, gt=0)
    """Square root of an anchor's area, in strides of its level: anchors of P2 have 32 pixels."""
    aspect_ratios: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)] = (0.5, 1.0, 2.0)
    """Height divided by width, one for each anchor of a cell."""
    proposals: Positive = 512
    """How many of the best anchors propose a region; memory grows with their square."""
    proposal_iou_threshold: float = Field(default=0.7, ge=0, le=1)
    """Of two proposals that overlap more than this only the better one becomes a region."""
    regions: Positive = 100
    """How many regions are left of them, always: more than an image has objects. The second stage runs for each."""
    region_size: Annotated[int, Field(ge=1, le=64)] = 7
    """Rows and columns that every region is brought to."""
    samples: Annotated[int, Field(ge=1, le=8)] = 2
    """Points that are read of each of these rows and columns, along each axis; 1 is four times faster."""
    units: Positive = 256
    """Units of the two dense layers that say what a region shows."""
    box_weight: float = Field(default=1.0, ge=0)
    """How much boxes count in the loss, against scores."""

    @field_validator("levels")
    @classmethod
    def _finest_first(cls, levels: tuple[Level, ...]) -> tuple[Level, ...]:
        if list(levels) != sorted(set(levels)):
            raise ValueError(f"levels must be different ones, finest first, received {', '.join(levels)}")
        return levels

    def cells(self, image: tuple[int, int]) -> dict[str, tuple[int, int]]:
        """Return height and width of the maps that it reads, for images of this height and width."""
        return {name: cells(name, image) for name in self.levels}

    def anchors(self, image: tuple[int, int]) -> np.ndarray:
        """Return all anchors, `(n, 4)` as `center_xywh` in pixels."""
        from cnnpipe.boxes.anchors import anchors

        return anchors(self.cells(image), self.anchor_scale, self.aspect_ratios)

    # ── the network ──────────────────────────────────────────────────────────────────────────────────────────────

    def stages(self, graph: GraphBuilder, maps: Mapping[str, Tensor], classes: int, image: tuple[int, int]) -> Found:
        """Add both stages.

        Raises:
            ProblemError: One of the maps is missing, or they do not fit one another or the image; or there are fewer
                anchors than proposals, or fewer proposals than regions.
        """
        found: dict[str, Tensor] = {name: read(graph, maps, name, image) for name in self.levels}
        objectness, moves = self._judged_anchors(graph, found)
        with graph.block((), "proposals"):
            sizes, strides = tuple(self.cells(image).values()), tuple(stride(name) for name in self.levels)
            node = ProposedBoxes(sizes, strides, self.anchor_scale, self.aspect_ratios, SCALES, image, self.proposals)
            proposed = graph.add(node, objectness, moves)
            regions = graph.add(DistinctBoxes(self.regions, self.proposal_iou_threshold), proposed)
        with graph.block((), "regions"):
            tensor = graph.add(AlignedRegions(strides, self.region_size, self.samples), regions, *found.values())
            tensor = graph.add(Reshape((self.regions, self.region_size**2 * tensor.shape[-1])), tensor)
            for _ in range(2):
                tensor = graph.add(Activation("relu"), graph.add(Dense(self.units), tensor))
            logits, refinements = graph.add(Dense(classes + 1), tensor), graph.add(Dense(BOX_VALUES), tensor)
            scores = graph.add(Activation("softmax"), logits)
            boxes = graph.add(RefinedBoxes(SCALES, image), regions, refinements)
        learned = (objectness, moves, regions, logits, refinements)
        return Found(tuple(found.values()), strides, boxes, scores, learned)

    def _judged_anchors(self, graph: GraphBuilder, maps: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return objectness as logits and numbers of boxes, for all anchors; each level has convolutions of its own.

        Lin et al. 2017, section 4.1, share them, and found both about equal.
        """
        found: list[tuple[Tensor, Tensor]] = []
        anchors = len(self.aspect_ratios)
        for name, tensor in maps.items():
            with graph.block((), name):
                filters = self.filters or tensor.shape[-1]
                if self.separable:
                    tensor = depthwise(graph, tensor, 3, use_bias=False)
                tensor = convolution(graph, tensor, filters, 1 if self.separable else 3)
                tensor = graph.add(Activation("relu"), tensor)
                count = tensor.shape[0] * tensor.shape[1] * anchors
                objectness = graph.add(Convolution(anchors, 1), tensor)
                moves = graph.add(Convolution(anchors * BOX_VALUES, 1), tensor)
                found.append((graph.add(Reshape((count, 1)), objectness), graph.add(Reshape((count, 4)), moves)))
        if len(found) == 1:
            return found[0]
        first, second = zip(*found, strict=True)
        return graph.add(ConcatenatePositions(), *first), graph.add(ConcatenatePositions(), *second)

    # ── training ─────────────────────────────────────────────────────────────────────────────────────────────────

    def box_columns(self, targets: Mapping[str, Any]) -> Any:
        """Return box, class and crowd of the objects as the six columns that the loss reads."""
        import keras

        rest = [keras.ops.expand_dims(keras.ops.cast(targets[key], "float32"), -1) for key in ("labels", "crowd")]
        return keras.ops.concatenate([targets["boxes"], *rest], -1)

    def loss_options(self, classes: int, image: tuple[int, int]) -> Mapping[str, Any]:
        """Return the arguments of the loss of both stages."""
        return {
            "anchors": self.anchors(image).tolist(), "regions": self.regions, "classes": classes, "scales": SCALES,
            "box_weight": self.box_weight,
        }  # fmt: skip

    # ── what its outputs mean ────────────────────────────────────────────────────────────────────────────────────

    def score_sentence(self, class_names: Sequence[str]) -> str:
        """Return what the scores hold."""
        names = ", ".join(class_names)
        return f"how likely each region shows each class, 0 to 1, in this order: {names}; last that it shows none"
