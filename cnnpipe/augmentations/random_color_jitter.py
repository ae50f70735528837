"""Changes brightness, contrast, saturation and hue, in this order."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from cnnpipe.augmentations import Bounds, Size, Sizes, ValueRange
from cnnpipe.augmentations._pixels import PixelAugmentation
from cnnpipe.augmentations.random_brightness import RandomBrightness
from cnnpipe.augmentations.random_contrast import RandomContrast
from cnnpipe.augmentations.random_hue import RandomHue
from cnnpipe.augmentations.random_saturation import RandomSaturation


class RandomColorJitter(PixelAugmentation):
    """`keras.layers.RandomColorJitter`, each part as the augmentation of its name."""

    also_called: ClassVar[tuple[str, ...]] = ("color_jitter", "colorjitter", "jitter")
    type: Literal["random_color_jitter"] = "random_color_jitter"
    value_range: ValueRange = (0, 255)
    """Values that a pixel can have; results are kept inside."""
    brightness_factor: Size | Bounds | None = None
    """The factor of `random_brightness`; None leaves the brightness."""
    contrast_factor: Size | tuple[Size, Size] | None = None
    """The factor of `random_contrast`; None leaves the contrast."""
    saturation_factor: Size | Sizes | None = None
    """The factor of `random_saturation`; None leaves the saturation."""
    hue_factor: Size | Sizes | None = None
    """The factor of `random_hue`; None leaves the hue."""

    def unfit(self, shape: tuple[int, ...], keys: frozenset[str]) -> str:
        """Gray images have brightness and contrast."""
        refused = (part.unfit(shape, keys) for part in self._parts())
        return next(filter(None, refused), "")

    def change(self, images: Any, seed: Any) -> Any:
        """Change by each part that has a factor."""
        for part in self._parts():
            images = part.change(images, seed)
        return images

    def _parts(self) -> list[PixelAugmentation]:
        factors = {
            RandomBrightness: self.brightness_factor,
            RandomContrast: self.contrast_factor,
            RandomSaturation: self.saturation_factor,
            RandomHue: self.hue_factor,
        }
        return [
            kind(factor=factor, value_range=self.value_range) for kind, factor in factors.items() if factor is not None
        ]
