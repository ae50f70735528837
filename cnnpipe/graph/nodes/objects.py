"""Nodes that turn what a detector says of its cells into a list of the objects found, inside the file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from cnnpipe.graph.arithmetic import text
from cnnpipe.graph.core import KerasLayer, NodeType, Shape, ShapeError

BOX = 4
ROW = BOX + 3
"""Numbers of each row of a list of objects: top, left, bottom, right, class, score, how many rows are objects."""


@dataclass(frozen=True)
class _OfObjects(NodeType):
    """Base: they compute places in float, and no position of theirs is a window of the input."""

    only_in_float: ClassVar[str] = "computes places, and picks the best of a list"

    def window(self, *inputs: Shape) -> None:
        """Return None: where it reads depends on values."""
        return None


@dataclass(frozen=True)
class PlacedBoxes(_OfObjects):
    """Boxes as `xyxy` in pixels, of the numbers that each cell says relative to its anchor.

    Args:
        cells: Rows and columns of each level's map.
        strides: Pixels between the cells of each level.
        anchor_scale: Side of an anchor, in strides.
        added: What is added to the numbers of `boxes/anchors.py`.
    """

    kind: ClassVar[str] = "placed_boxes"
    cells: tuple[tuple[int, int], ...]
    strides: tuple[int, ...]
    anchor_scale: float
    added: float = 0.0

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (cells, 4)."""
        (shape,), count = inputs, sum(math.prod(size) for size in self.cells)
        if shape != (count, BOX):
            raise ShapeError(f"reads {count}x{BOX} numbers for its {count} cells, received {text(shape)}")
        return shape

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return the layer of this project: Keras has none."""
        config = {"cells": self.cells, "strides": self.strides, "anchor_scale": self.anchor_scale, "added": self.added}
        return KerasLayer("cnnpipe.layers.placed_boxes.PlacedBoxes", config)


@dataclass(frozen=True)
class NonMaxSuppression(_OfObjects):
    """The surest boxes without those that repeat a surer one: a list of rows of `ROW` numbers.

    Its inputs are boxes as `xyxy` in pixels, and scores of each class.

    Args:
        image: Height and width of the network's input.
        count: How many rows the list has.
        iou_threshold: The largest overlap of two boxes that are both given.
        score_threshold: Boxes with a lower score are not given.
        per_class: Whether boxes of different classes may overlap as they like.
    """

    kind: ClassVar[str] = "non_max_suppression"
    image: tuple[int, int]
    count: int
    iou_threshold: float
    score_threshold: float
    per_class: bool = True

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (count, ROW)."""
        boxes, scores = inputs
        if len(boxes) != 2 or len(scores) != 2 or boxes[1] != BOX or boxes[0] != scores[0]:
            raise ShapeError(f"reads boxes and their scores, received {text(boxes)} and {text(scores)}")
        return (self.count, ROW)

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return the layer of this project: Keras has none."""
        config = {
            "image": self.image, "count": self.count, "iou_threshold": self.iou_threshold,
            "score_threshold": self.score_threshold, "per_class": self.per_class,
        }  # fmt: skip
        return KerasLayer("cnnpipe.layers.non_max_suppression.NonMaxSuppression", config)


@dataclass(frozen=True)
class Columns(_OfObjects):
    """Some columns of a list; a single column loses its axis.

    Args:
        first: The first one.
        number: How many.
        one_row: Whether only those of the first row are given, without the axis of the rows.
    """

    kind: ClassVar[str] = "columns"
    first: int
    number: int = 1
    one_row: bool = False

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (rows, number), without the axes that are lost."""
        (shape,) = inputs
        if len(shape) != 2 or self.first + self.number > shape[1]:
            last = self.first + self.number - 1
            raise ShapeError(f"takes the columns {self.first} to {last} of a list, received {text(shape)}")
        rows = () if self.one_row else (shape[0],)
        return rows if self.number == 1 else (*rows, self.number)

    def keras_layer(self, *inputs: Shape) -> KerasLayer:
        """Return the layer of this project: Keras has none."""
        config = {"first": self.first, "number": self.number, "one_row": self.one_row}
        return KerasLayer("cnnpipe.layers.columns.Columns", config)
