"""Slants images."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from cnnpipe.augmentations import FillMode, Interpolation, Size, Sizes
from cnnpipe.augmentations._geometry import GeometricAugmentation, about_middle
from cnnpipe.augmentations._pixels import up_to


class RandomShear(GeometricAugmentation):
    """`keras.layers.RandomShear`, but about the middle of the image; Keras's pushes it to one side, too."""

    also_called: ClassVar[tuple[str, ...]] = ("shear", "shear_range", "slant", "skew")
    type: Literal["random_shear"] = "random_shear"
    x_factor: Size | Sizes = 0.0
    """Largest slant to the left or right, as a share of the height, or lower and upper bound."""
    y_factor: Size | Sizes = 0.0
    """Largest slant up or down, as a share of the width, or lower and upper bound."""
    interpolation: Interpolation = "bilinear"
    """How pixels between pixels are computed."""
    fill_mode: FillMode = "reflect"
    """What stands where the image has left."""
    fill_value: float = 0.0
    """The value for `fill_mode: constant`."""

    def matrices(self, images: Any, seed: Any) -> Any:
        """Draw the slants and, for each, its direction."""
        import keras

        shape = (keras.ops.shape(images)[0],)
        x, y = (
            keras.random.uniform(shape, *up_to(factor), seed=seed)
            * keras.ops.sign(keras.random.uniform(shape, -1, 1, seed=seed))
            for factor in (self.x_factor, self.y_factor)
        )
        return about_middle(images, (1.0, x), (y, 1 + x * y))  # one after the other: no area is lost
