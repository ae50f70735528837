"""Moves images by a random share of their size."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from cnnpipe.augmentations import Bounds, FillMode, Interpolation, Size
from cnnpipe.augmentations._geometry import GeometricAugmentation, affine
from cnnpipe.augmentations._pixels import both_ways


class RandomTranslation(GeometricAugmentation):
    """`keras.layers.RandomTranslation`."""

    also_called: ClassVar[tuple[str, ...]] = (
        "shift",
        "translate",
        "width_shift_range",
        "random_shift",
        "translation",
        "affine",
        "pad_and_crop",
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

    def matrices(self, images: Any, seed: Any) -> Any:
        """Draw the move down, then the move to the right."""
        import keras

        shape = (keras.ops.shape(images)[0],)
        down, right = (
            keras.random.uniform(shape, *both_ways(factor), seed=seed) * length
            for factor, length in zip((self.height_factor, self.width_factor), images.shape[1:3], strict=True)
        )
        return affine((1.0, 0.0, -right), (0.0, 1.0, -down))
