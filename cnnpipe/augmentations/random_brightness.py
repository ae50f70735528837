"""Makes images brighter or darker."""

from __future__ import annotations

from typing import Literal

from cnnpipe.augmentations import Augmentation, Bounds, Size


class RandomBrightness(Augmentation):
    """`keras.layers.RandomBrightness`."""

    type: Literal["random_brightness"] = "random_brightness"
    factor: Size | Bounds
    """Largest change as a share of the value range, or lower and upper bound; negative is darker."""
    value_range: tuple[float, float] = (0, 255)
    """Values that a pixel can have; results are kept inside."""
