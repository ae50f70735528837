"""Enlarges or shrinks images."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.augmentations import Augmentation, Bounds, FillMode, Interpolation, Size


class RandomZoom(Augmentation):
    """`keras.layers.RandomZoom`."""

    also_called: ClassVar[tuple[str, ...]] = ("zoom", "scale", "zoom_range", "randomresizedcrop")
    type: Literal["random_zoom"] = "random_zoom"
    height_factor: Size | Bounds
    """Largest change as a share of the height, or lower and upper bound; negative enlarges, positive shrinks."""
    width_factor: Size | Bounds | None = None
    """The same for the width; None keeps the aspect ratio."""
    fill_mode: FillMode = "reflect"
    """What stands where the image has left."""
    interpolation: Interpolation = "bilinear"
    """How pixels between pixels are computed."""
    fill_value: float = 0.0
    """The value for `fill_mode: constant`."""
