"""Raises or lowers the contrast of images around their mean."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from cnnpipe.augmentations import Augmentation

Contrast = Annotated[float, Field(ge=0, le=1)]


class RandomContrast(Augmentation):
    """`keras.layers.RandomContrast`."""

    type: Literal["random_contrast"] = "random_contrast"
    factor: Contrast | tuple[Contrast, Contrast]
    """Contrast is multiplied by a number between 1 - factor and 1 + factor, or 1 - lower and 1 + upper."""
    value_range: tuple[float, float] = (0, 255)
    """Values that a pixel can have; results are kept inside."""
