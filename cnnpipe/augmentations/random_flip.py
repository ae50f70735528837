"""Mirrors half of the images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from cnnpipe.augmentations import Augmentation
from cnnpipe.augmentations._geometry import affine, move_boxes, still_there


class RandomFlip(Augmentation):
    """`keras.layers.RandomFlip`, but `horizontal_and_vertical` draws each direction by itself.

    Keras draws once for both, which turns half of the images by 180 degrees and mirrors none.
    """

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
    """Which sides are exchanged: left and right, top and bottom, or each of both in half of the images."""

    def mirrors(self) -> frozenset[str]:
        """Return the directions of `mode`."""
        return frozenset(self.mode.split("_and_"))

    def apply(self, batch: Mapping[str, Any], seed: Any) -> dict[str, Any]:
        """Mirror images, masks and boxes."""
        import keras

        images = batch["images"]
        size = keras.ops.shape(images)[0]
        flips = [
            keras.random.uniform((size, 1, 1, 1), seed=seed) <= 0.5 if direction in self.mode else None
            for direction in ("horizontal", "vertical")
        ]
        changed = {**batch, "images": _mirrored(images, flips)}
        if "segmentation_masks" in batch:
            changed["segmentation_masks"] = _mirrored(batch["segmentation_masks"], flips)
        if "bounding_boxes" in batch:
            height, width = images.shape[1:3]
            (a, left), (d, top) = (
                _axis(flip, length, size) for flip, length in zip(flips, (width, height), strict=True)
            )
            matrices = affine((a, 0.0, left), (0.0, d, top))
            changed["bounding_boxes"] = move_boxes(batch["bounding_boxes"], matrices, (height, width))
        if "instance_masks" in batch:
            changed["instance_masks"] = still_there(_mirrored(batch["instance_masks"], flips), changed)
        return changed


def _mirrored(images: Any, flips: list[Any]) -> Any:
    import keras

    for flip, axis in zip(flips, (2, 1), strict=True):
        if flip is not None:
            images = keras.ops.where(flip, keras.ops.flip(images, axis), images)
    return images


def _axis(flip: Any, length: int, size: Any) -> tuple[Any, Any]:
    """Return factor and constant of `affine` along an axis of this length."""
    import keras

    mirrored = keras.ops.zeros((size,)) if flip is None else keras.ops.cast(keras.ops.reshape(flip, (-1,)), "float32")
    return 1 - 2 * mirrored, (length - 1) * mirrored
