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
    """Lower and upper bound: contrast is multiplied by 1 - lower to 1 + upper. One number is (0, upper), as in Keras."""
    value_range: tuple[float, float] = (0, 255)
    """Values that a pixel can have; results are kept inside."""
