"""Moves images by a random share of their size."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.augmentations import Augmentation, Bounds, FillMode, Interpolation, Size


class RandomTranslation(Augmentation):
    """`keras.layers.RandomTranslation`."""

    also_called: ClassVar[tuple[str, ...]] = (
        "shift",
        "translate",
        "width_shift_range",
        "random_shift",
        "translation",
        "affine",
    )
    type: Literal["random_translation"] = "random_translation"
    height_factor: Size | Bounds
    """Largest move up or down as a share of the height, or lower and upper bound; negative is up."""
    width_factor: Size | Bounds
    """Largest move to the sides as a share of the width, or lower and upper bound; negative is left."""
    fill_mode: FillMode = "reflect"
    """What stands where the image has left."""
    interpolation: Interpolation = "bilinear"
    """How pixels between pixels are computed."""
    fill_value: float = 0.0
    """The value for `fill_mode: constant`."""
