"""Makes images brighter or darker."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from cnnpipe.augmentations import Bounds, Size, ValueRange
from cnnpipe.augmentations._pixels import PixelAugmentation, both_ways, per_image


class RandomBrightness(PixelAugmentation):
    """`keras.layers.RandomBrightness`."""

    also_called: ClassVar[tuple[str, ...]] = ("brightness", "brightness_range", "adjust_brightness")
    type: Literal["random_brightness"] = "random_brightness"
    factor: Size | Bounds
    """Largest change as a share of the value range, or lower and upper bound; negative is darker."""
    value_range: ValueRange = (0, 255)
    """Values that a pixel can have; results are kept inside."""

    def change(self, images: Any, seed: Any) -> Any:
        """Add a share of the value range."""
        import keras

        low, high = self.value_range
        added = per_image(images, both_ways(self.factor), seed) * (high - low)
        return keras.ops.clip(images + added, low, high)
