"""What changes of pixels share: they leave everything in its place, so boxes and masks stay as they are."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from cnnpipe.augmentations import Augmentation

RGB = 3


class PixelAugmentation(Augmentation):
    """Base of augmentations that change pixels and move nothing."""

    needs_color: ClassVar[bool] = False
    """Whether images without red, green and blue cannot be changed."""

    def unfit(self, shape: tuple[int, ...], keys: frozenset[str]) -> str:
        """Refuse images without colours where it changes those."""
        if self.needs_color and shape[-1] != RGB:
            return f"it changes colours, and the images have {shape[-1]} channel{'s' * (shape[-1] != 1)} instead of 3"
        return super().unfit(shape, keys)

    @abstractmethod
    def change(self, images: Any, seed: Any) -> Any:
        """Return the images changed, (batch, height, width, channels), float32."""

    def apply(self, batch: Mapping[str, Any], seed: Any) -> dict[str, Any]:
        """Change the images, and nothing else."""
        return {**batch, "images": self.change(batch["images"], seed)}


def per_image(images: Any, bounds: tuple[float, float], seed: Any) -> Any:
    """Return one number for each image, evenly drawn between the bounds, (batch, 1, 1, 1)."""
    import keras

    shape = (keras.ops.shape(images)[0], 1, 1, 1)
    return keras.random.uniform(shape, bounds[0], bounds[1], seed=seed)


def both_ways(factor: float | tuple[float, float]) -> tuple[float, float]:
    """Return bounds, where one number means both directions."""
    return factor if isinstance(factor, tuple) else (-factor, factor)


def up_to(factor: float | tuple[float, float]) -> tuple[float, float]:
    """Return bounds, where one number is the upper one and the lower one is 0."""
    return factor if isinstance(factor, tuple) else (0.0, factor)
