"""Boxes in pixels, of numbers relative to the anchors of all cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from cnnpipe.boxes.anchors import anchors, decode


class PlacedBoxes(keras.layers.Layer):  # type: ignore[misc]
    """Returns the boxes that numbers stand for, as `boxes/anchors.py` has them.

    Input shape: `(batch, cells, 4)`.
    Output shape: the same, as `xyxy` in pixels of the image.

    Args:
        cells: Rows and columns of each level's map.
        strides: Pixels between the cells of each level: powers of 2.
        anchor_scale: Side of an anchor, in strides.
        added: What is added to the numbers.
        kwargs: What every layer takes, such as `name`.
    """

    def __init__(
        self, cells: Sequence[Sequence[int]], strides: Sequence[int], anchor_scale: float, added: float, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        sizes = [(rows, columns) for rows, columns in cells]
        levels = {f"P{stride.bit_length() - 1}": size for stride, size in zip(strides, sizes, strict=True)}
        self._anchors, self._added = anchors(levels, anchor_scale), added

    def call(self, inputs: Any) -> Any:
        """Return the boxes."""
        return decode(inputs - self._added, self._anchors, keras.ops)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape."""
        return input_shape
