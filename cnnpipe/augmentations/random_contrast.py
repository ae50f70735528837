"""Raises or lowers the contrast of images around their mean."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from cnnpipe.augmentations import Size, ValueRange
from cnnpipe.augmentations._pixels import PixelAugmentation, per_image


class RandomContrast(PixelAugmentation):
    """`keras.layers.RandomContrast` as its documentation says.

    The layer itself only ever raises the contrast when the factor is one number, and exchanges two numbers of which the
    first is larger.
    """

    also_called: ClassVar[tuple[str, ...]] = ("contrast", "contrast_range", "adjust_contrast")
    type: Literal["random_contrast"] = "random_contrast"
    factor: Size | tuple[Size, Size]
    """Contrast is multiplied by 1 - lower to 1 + upper: both of them as one number, or lower and upper."""
    value_range: ValueRange = (0, 255)
    """Values that a pixel can have; results are kept inside."""

    def change(self, images: Any, seed: Any) -> Any:
        """Stretch the differences from each channel's mean."""
        import keras

        lower, upper = self.factor if isinstance(self.factor, tuple) else (self.factor, self.factor)
        stretch = per_image(images, (1.0 - lower, 1.0 + upper), seed)
        mean = keras.ops.mean(keras.ops.mean(images, axis=1, keepdims=True), axis=2, keepdims=True)
        return keras.ops.clip((images - mean) * stretch + mean, *self.value_range)
