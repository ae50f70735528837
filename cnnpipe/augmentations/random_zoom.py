"""Enlarges or shrinks images."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from cnnpipe.augmentations import Bounds, FillMode, Interpolation, Size
from cnnpipe.augmentations._geometry import GeometricAugmentation, affine
from cnnpipe.augmentations._pixels import both_ways


class RandomZoom(GeometricAugmentation):
    """`keras.layers.RandomZoom`."""

    also_called: ClassVar[tuple[str, ...]] = ("zoom", "scale", "zoom_range")
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

    def matrices(self, images: Any, seed: Any) -> Any:
        """Draw the change of the height, then that of the width."""
        import keras

        def drawn(factor: float | tuple[float, float]) -> Any:
            lower, upper = both_ways(factor)
            return keras.random.uniform((keras.ops.shape(images)[0],), 1 + lower, 1 + upper, seed=seed)

        rows, columns = ((length - 1) / 2 for length in images.shape[1:3])
        vertical = drawn(self.height_factor)
        horizontal = vertical if self.width_factor is None else drawn(self.width_factor)
        return affine((horizontal, 0.0, columns * (1 - horizontal)), (0.0, vertical, rows * (1 - vertical)))
