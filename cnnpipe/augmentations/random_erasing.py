"""Covers a rectangle of an image with noise or one colour."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from cnnpipe.augmentations import Size, Sizes, ValueRange
from cnnpipe.augmentations._pixels import RGB, PixelAugmentation, up_to
from cnnpipe.augmentations._rectangles import inside, rectangles


class RandomErasing(PixelAugmentation):
    """`keras.layers.RandomErasing` (Zhong et al. 2020). What is covered stays in boxes and masks, as in the paper."""

    also_called: ClassVar[tuple[str, ...]] = ("cutout", "erasing", "random_erase", "coarse_dropout", "cut_out")
    type: Literal["random_erasing"] = "random_erasing"
    factor: Size | Sizes = 1.0
    """Probability of a rectangle, or its lower and upper bound. One number f means 0 to f, so that 1 covers half of the
    images; (1, 1) covers all."""
    scale: Size | Sizes = (0.02, 0.33)
    """Lower and upper bound of the part that is covered; each side is the square root of a draw, times the image's."""
    fill_value: float | tuple[float, float, float] | None = None
    """What covers: one value, one each for red, green and blue, None for normal noise, black where it is negative."""
    value_range: ValueRange = (0, 255)
    """Values that a pixel can have; what covers is kept inside."""

    def unfit(self, shape: tuple[int, ...], keys: frozenset[str]) -> str:
        """Refuse three values for images without colours."""
        if isinstance(self.fill_value, tuple) and shape[-1] != RGB:
            return f"its fill_value is a colour, and the images have {shape[-1]} channel{'s' * (shape[-1] != 1)}"
        return super().unfit(shape, keys)

    def change(self, images: Any, seed: Any) -> Any:
        """Draw sides, place, whether at all, and noise."""
        import keras

        size = keras.ops.shape(images)[0]
        sides = keras.ops.sqrt(keras.random.uniform((size, 2), *up_to(self.scale), seed=seed))
        covered = inside(images, rectangles(images, sides[:, 0], sides[:, 1], seed))
        chance = keras.random.uniform((size,), *up_to(self.factor), seed=seed)
        chosen = keras.random.uniform((size,), seed=seed) < chance
        if self.fill_value is None:
            cover = keras.random.normal(keras.ops.shape(images), seed=seed) * self.value_range[1]
        else:
            cover = keras.ops.convert_to_tensor(self.fill_value, "float32")
        cover = keras.ops.clip(cover, *self.value_range)
        return keras.ops.where(covered & chosen[:, None, None, None], cover, images)
