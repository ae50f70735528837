"""Nodes of two-stage detectors: boxes that are proposed, picked, refined, and looked at one by one.

Keras has no layers for them: each is a model of plain Keras operations, so that a saved network opens without cnnpipe.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from cnnpipe.graph.arithmetic import text
from cnnpipe.graph.core import KerasLayer, NodeType, Shape, ShapeError

BOX = 4
"""Numbers of a box: `xyxy` in pixels."""


@dataclass(frozen=True)
class _OfRegions(NodeType):
    """Base of nodes that know places: in files they stay in float, and no position is a window of the input."""

    only_in_float: ClassVar[str] = "computes places in pixels, and picks the best of a list"

    def window(self, *inputs: Shape) -> None:
        """Return None: where it reads depends on values."""
        return None

    def _layer(self, name: str, **config: object) -> KerasLayer:
        return KerasLayer(f"cnnpipe.layers.{name}.{name}", config)


@dataclass(frozen=True)
class ProposedBoxes(_OfRegions):
    """Boxes of the anchors that are likeliest to show an object.

    Its inputs are objectness `(anchors, 1)` and numbers of boxes `(anchors, 4)`; rows of the output hold a box and its
    objectness.

    Args:
        cells: Rows and columns of each level's map.
        strides: Pixels between the cells of each level.
        anchor_scale: Square root of an anchor's area, in strides.
        aspect_ratios: Height divided by width, for the anchors of each cell.
        scales: What the numbers of boxes are multiplied by.
        image: Height and width of the network's input.
        count: How many boxes.
    """

    kind: ClassVar[str] = "proposed_boxes"
    cells: tuple[tuple[int, int], ...]
    strides: tuple[int, ...]
    anchor_scale: float
    aspect_ratios: tuple[float, ...]
    scales: tuple[float, float, float, float]
    image: tuple[int, int]
    count: int

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (count, 5)."""
        anchors = sum(math.prod(size) for size in self.cells) * len(self.aspect_ratios)
        if inputs != ((anchors, 1), (anchors, BOX)):
            shapes = " and ".join(text(shape) for shape in inputs)
            raise ShapeError(f"reads {anchors}x1 and {anchors}x{BOX} for its {anchors} anchors, received {shapes}")
        if self.count > anchors:
            raise ShapeError(f"picks {self.count} of {anchors} anchors", "Pick fewer, or read larger maps.")
        return (self.count, BOX + 1)

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return the function that makes the model."""
        return self._layer(
            "proposed_boxes", cells=self.cells, strides=self.strides, anchor_scale=self.anchor_scale,
            aspect_ratios=self.aspect_ratios, scales=self.scales, image=self.image, count=self.count,
        )  # fmt: skip


@dataclass(frozen=True)
class DistinctBoxes(_OfRegions):
    """The best boxes without those that repeat a better one: non-maximum suppression to a fixed number.

    Args:
        count: How many.
        iou_threshold: The largest overlap of two boxes that are kept.
        scores: How many numbers after the box are scores; the largest counts.
    """

    kind: ClassVar[str] = "distinct_boxes"
    count: int
    iou_threshold: float
    scores: int = 1

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (count, values)."""
        boxes, values = _table(inputs[0], BOX + self.scores)
        if self.count > boxes:
            raise ShapeError(f"picks {self.count} of {boxes} boxes", "Pick fewer, or give more.")
        return (self.count, values)

    def working_values(self, *inputs: Shape) -> int:
        """Return four tables of every box with every box."""
        return 4 * inputs[0][0] ** 2

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return the function that makes the model."""
        boxes, values = inputs[0]
        return self._layer(
            "distinct_boxes", boxes=boxes, values=values, scores=self.scores, count=self.count,
            iou_threshold=self.iou_threshold,
        )  # fmt: skip


@dataclass(frozen=True)
class AlignedRegions(_OfRegions):
    """RoIAlign: the maps inside of each box, brought to one size. Its inputs are boxes, then maps, finest first.

    Args:
        strides: Pixels of the network's input between the cells of each map.
        size: Rows and columns of a region.
        samples: Points of each of them, along each axis.
    """

    kind: ClassVar[str] = "aligned_regions"
    strides: tuple[int, ...]
    size: int
    samples: int = 2

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (boxes, size, size, channels)."""
        rows, *maps = inputs
        boxes, _ = _table(rows, BOX)
        shapes = " and ".join(text(shape) for shape in maps)
        if len(maps) != len(self.strides) or any(len(shape) != 3 for shape in maps):
            raise ShapeError(f"reads {len(self.strides)} maps in 2D, received {shapes or 'none'}")
        if len({shape[-1] for shape in maps}) > 1:
            raise ShapeError(
                f"reads maps with equally many channels, received {shapes}",
                "A neck such as 'fpn' gives every map the same channels.",
            )
        return (boxes, self.size, self.size, maps[0][-1])

    def working_values(self, *inputs: Shape) -> int:
        """Return all maps as one list, and three times the values at all points."""
        boxes, _, _, channels = self.output_shape(*inputs)
        points = boxes * (self.size * self.samples) ** 2 * channels
        return sum(math.prod(shape) for shape in inputs[1:]) + 3 * points

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return the function that makes the model."""
        (boxes, values), *maps = inputs
        return self._layer(
            "aligned_regions", boxes=boxes, values=values, maps=tuple(maps), strides=self.strides, size=self.size,
            samples=self.samples,
        )  # fmt: skip


@dataclass(frozen=True)
class RefinedBoxes(_OfRegions):
    """Boxes moved and resized by four numbers each. Its inputs are boxes and numbers.

    Args:
        scales: What the numbers are multiplied by.
        image: Height and width of the network's input, which boxes do not leave.
    """

    kind: ClassVar[str] = "refined_boxes"
    scales: tuple[float, float, float, float]
    image: tuple[int, int]

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (boxes, 4)."""
        rows, numbers = inputs
        boxes, _ = _table(rows, BOX)
        if numbers != (boxes, BOX):
            raise ShapeError(f"reads {boxes}x{BOX} numbers for {boxes} boxes, received {text(numbers)}")
        return numbers

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return the function that makes the model."""
        boxes, values = inputs[0]
        return self._layer("refined_boxes", boxes=boxes, values=values, scales=self.scales, image=self.image)


@dataclass(frozen=True)
class SideBySide(_OfRegions):
    """All values of its inputs as one vector in float32, for a loss that reads several tensors at once."""

    kind: ClassVar[str] = "side_by_side"

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (number of all values)."""
        return (sum(math.prod(shape) for shape in inputs),)

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return the function that makes the model."""
        return self._layer("side_by_side", shapes=inputs)


def _table(shape: Shape, least: int) -> tuple[int, int]:
    if len(shape) != 2 or shape[1] < least:
        raise ShapeError(f"reads a list of boxes with at least {least} values each, received {text(shape)}")
    return shape[0], shape[1]


@dataclass(frozen=True)
class ConvolvedRegions(_OfRegions):
    """A convolution of each region `(regions, rows, columns, channels)`; for the converter regions are a batch.

    Args:
        filters: Channels of the output.
        kernel_size: Rows and columns of the window, padded to keep the size.
        enlarged: Whether it is a transposed convolution of 2x2 with strides 2 instead, which doubles the size.
    """

    kind: ClassVar[str] = "convolved_regions"
    filters: int
    kernel_size: int = 3
    enlarged: bool = False

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (regions, rows, columns, filters), rows and columns twice as many if enlarged."""
        (shape,) = inputs
        if len(shape) != 4:
            raise ShapeError(f"convolves regions in 2D, received {text(shape)}")
        factor = 2 if self.enlarged else 1
        return (shape[0], shape[1] * factor, shape[2] * factor, self.filters)

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return the function that makes the model."""
        return self._layer(
            "convolved_regions", shape=inputs[0], filters=self.filters, kernel_size=self.kernel_size,
            enlarged=self.enlarged,
        )  # fmt: skip

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Return kernel (rows, columns, channels, filters; the last two swapped if enlarged) and bias (filters)."""
        channels = inputs[0][-1]
        size, ends = (2, (self.filters, channels)) if self.enlarged else (self.kernel_size, (channels, self.filters))
        return {"kernel": (size, size, *ends), "bias": (self.filters,)}

    def macs(self, *inputs: Shape) -> int:
        """Return those of the convolution of one region, times the regions."""
        positions = math.prod(inputs[0][:3])
        return positions * math.prod(self.weights(*inputs)["kernel"])
