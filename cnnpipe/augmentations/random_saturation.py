"""Makes colours stronger or paler."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from cnnpipe.augmentations import Size, Sizes, ValueRange
from cnnpipe.augmentations._pixels import PixelAugmentation, per_image, up_to


class RandomSaturation(PixelAugmentation):
    """`keras.layers.RandomSaturation`, with saturation kept in its range; the layer lets it pass 1, below black."""

    needs_color: ClassVar[bool] = True
    also_called: ClassVar[tuple[str, ...]] = ("saturation", "adjust_saturation", "hsv_s")
    type: Literal["random_saturation"] = "random_saturation"
    factor: Size | Sizes
    """0 is gray, 0.5 changes nothing, 1 is full colour. One number f means 0 to f; (0.4, 0.6) changes both ways."""
    value_range: ValueRange = (0, 255)
    """Values that a pixel can have; results are kept inside."""

    def change(self, images: Any, seed: Any) -> Any:
        """Multiply the saturation of hue, saturation and value by f / (1 - f), without going through them."""
        import keras

        factor = per_image(images, up_to(self.factor), seed)
        low, _ = self.value_range
        value = keras.ops.max(images, axis=-1, keepdims=True)
        spread = value - keras.ops.min(images, axis=-1, keepdims=True)
        # all channels move along the line to `value`; full saturation is where the smallest one reaches the lowest
        full = (value - low) / keras.ops.maximum(spread, keras.backend.epsilon())
        stretch = keras.ops.minimum(factor / (1 - factor + keras.backend.epsilon()), keras.ops.maximum(full, 1.0))
        return value - (value - images) * stretch
