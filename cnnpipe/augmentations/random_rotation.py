"""Turns images by a random angle."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

from pydantic import field_validator

from cnnpipe.augmentations import Bounds, FillMode, Interpolation, Size
from cnnpipe.augmentations._geometry import GeometricAugmentation, about_middle
from cnnpipe.augmentations._pixels import both_ways


class RandomRotation(GeometricAugmentation):
    """`keras.layers.RandomRotation`. The box of a turned object is that of its turned box: never too small."""

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

    @field_validator("factor", mode="before")
    @classmethod
    def _is_no_angle(cls, factor: Any) -> Any:
        bounds = isinstance(factor, (list, tuple))
        given = [number for number in (factor if bounds else [factor]) if isinstance(number, (int, float))]
        largest = max(map(abs, given) if bounds else given, default=0)
        if 1 < largest <= 360:
            what, received = ("shares", list(factor)) if bounds else ("a share", f"{factor:g}")
            raise ValueError(
                f"expected {what} of the full circle (received {received}): {largest:g} degrees are {largest / 360:.2g}"
            )
        return factor

    def matrices(self, images: Any, seed: Any) -> Any:
        """Draw the angles."""
        import keras

        lower, upper = both_ways(self.factor)
        degrees = keras.random.uniform((keras.ops.shape(images)[0],), lower * 360.0, upper * 360.0, seed=seed)
        angle = degrees * (math.pi / 180)
        cosine, sine = keras.ops.cos(angle), keras.ops.sin(angle)
        return about_middle(images, (cosine, -sine), (sine, cosine))
