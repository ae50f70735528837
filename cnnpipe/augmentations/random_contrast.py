"""Raises or lowers the contrast of images around their mean."""

from __future__ import annotations

from typing import Literal

from cnnpipe.augmentations import Augmentation, Size


class RandomContrast(Augmentation):
    """`keras.layers.RandomContrast`."""

    type: Literal["random_contrast"] = "random_contrast"
    factor: Size | tuple[Size, Size]
    """Lower and upper bound: contrast is multiplied by 1 - lower to 1 + upper. One number is the upper bound alone."""
    value_range: tuple[float, float] = (0, 255)
    """Values that a pixel can have; results are kept inside."""
