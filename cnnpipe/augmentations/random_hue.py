"""Turns the hues of images."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from cnnpipe.augmentations import Size, Sizes, ValueRange
from cnnpipe.augmentations._pixels import PixelAugmentation, per_image, up_to


class RandomHue(PixelAugmentation):
    """`keras.layers.RandomHue`."""

    needs_color: ClassVar[bool] = True
    also_called: ClassVar[tuple[str, ...]] = ("hue", "adjust_hue", "hsv_h")
    type: Literal["random_hue"] = "random_hue"
    factor: Size | Sizes
    """Largest turn, 1 being half of the colour circle, or lower and upper bound; either way round."""
    value_range: ValueRange = (0, 255)
    """Values that a pixel can have; results are kept inside."""

    def change(self, images: Any, seed: Any) -> Any:
        """Turn the hue of hue, saturation and value."""
        import keras

        low, high = self.value_range
        backwards = per_image(images, (0.0, 1.0), seed)[..., 0] > 0.5
        turn = per_image(images, up_to(self.factor), seed)[..., 0] * 0.5
        colors = keras.ops.image.rgb_to_hsv((images - low) / (high - low))
        hue = keras.ops.mod(colors[..., 0] + keras.ops.where(backwards, -turn, turn), 1.0)
        turned = keras.ops.image.hsv_to_rgb(keras.ops.stack([hue, colors[..., 1], colors[..., 2]], axis=-1))
        return keras.ops.clip(turned, 0, 1) * (high - low) + low
