"""Mirrors half of the images."""

from __future__ import annotations

from typing import ClassVar, Literal

from cnnpipe.augmentations import Augmentation


class RandomFlip(Augmentation):
    """`keras.layers.RandomFlip`."""

    also_called: ClassVar[tuple[str, ...]] = (
        "randomhorizontalflip",
        "horizontal_flip",
        "flip",
        "fliplr",
        "hflip",
        "mirror",
        "horizontalflip",
    )
    type: Literal["random_flip"] = "random_flip"
    mode: Literal["horizontal", "vertical", "horizontal_and_vertical"] = "horizontal_and_vertical"
    """Which sides are exchanged: left and right, top and bottom, or both."""
