"""Turns images by a random angle."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.augmentations import Augmentation, Bounds, FillMode, Interpolation, Size


class RandomRotation(Augmentation):
    """`keras.layers.RandomRotation`."""

    also_called: ClassVar[tuple[str, ...]] = ("rotate", "rotation", "degrees", "rotation_range")
    type: Literal["random_rotation"] = "random_rotation"
    factor: Size | Bounds
    """Largest turn as a share of the full circle, or lower and upper bound; positive is counter-clockwise."""
    fill_mode: FillMode = "reflect"
    """What stands where the image has left."""
    interpolation: Interpolation = "bilinear"
    """How pixels between pixels are computed."""
    fill_value: float = 0.0
    """The value for `fill_mode: constant`."""
