"""What changes of place share: one matrix for each image moves its pixels, its mask and its boxes alike."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from cnnpipe.augmentations import Augmentation

PADDING = -1
"""The label of a box that is none."""


class GeometricAugmentation(Augmentation):
    """Base of augmentations that move things; one that has no field `fill_mode` leaves no place empty."""

    def ignored_keys(self) -> dict[str, str]:
        """Only the fill mode `constant` has a value."""
        mode = getattr(self, "fill_mode", "constant")
        return {} if mode == "constant" else {"fill_value": f"because fill_mode is {mode}"}

    def unfit(self, shape: tuple[int, ...], keys: frozenset[str]) -> str:
        """Refuse fill modes that show an object once more, where every object must have its box."""
        mode = getattr(self, "fill_mode", "nearest")
        if "bounding_boxes" in keys and mode in ("reflect", "wrap"):
            return f"fill_mode {mode} shows objects a second time, without a box; constant and nearest do not"
        return super().unfit(shape, keys)

    @abstractmethod
    def matrices(self, images: Any, seed: Any) -> Any:
        """Return for each image where its pixels come from, (batch, 8), as `affine` does."""

    def apply(self, batch: Mapping[str, Any], seed: Any) -> dict[str, Any]:
        """Move images, masks and boxes."""
        fill_mode, fill_value = getattr(self, "fill_mode", "nearest"), getattr(self, "fill_value", 0.0)
        matrices = self.matrices(batch["images"], seed)
        return move(batch, matrices, getattr(self, "interpolation", "bilinear"), fill_mode, fill_value)


def move(
    batch: Mapping[str, Any], matrices: Any, interpolation: str, fill_mode: str, fill_value: float
) -> dict[str, Any]:
    """Return the batch with its images, masks and boxes moved, each image by its own matrix."""
    import keras

    def moved(key: str, interpolation: str, fill_value: float) -> Any:
        return keras.ops.image.affine_transform(
            batch[key], matrices, interpolation=interpolation, fill_mode=fill_mode, fill_value=fill_value
        )

    changed = {**batch, "images": moved("images", interpolation, fill_value)}
    if "segmentation_masks" in batch:
        changed["segmentation_masks"] = moved("segmentation_masks", "nearest", 0.0)
    if "bounding_boxes" in batch:
        changed["bounding_boxes"] = move_boxes(batch["bounding_boxes"], matrices, batch["images"].shape[1:3])
    if "instance_masks" in batch:
        changed["instance_masks"] = still_there(moved("instance_masks", "nearest", 0.0), changed)
    return changed


def still_there(instance_masks: Any, batch: Mapping[str, Any]) -> Any:
    """Return masks of instances without those whose box has left, when the batch has boxes."""
    import keras

    if "bounding_boxes" not in batch:
        return instance_masks
    labels = batch["bounding_boxes"]["labels"]
    count = labels.shape[1]
    numbers = keras.ops.cast(keras.ops.arange(1, count + 1), instance_masks.dtype)
    kept = keras.ops.where(labels == PADDING, keras.ops.zeros_like(numbers), numbers)
    table = keras.ops.concatenate([keras.ops.zeros_like(kept[:, :1]), kept], axis=1)
    flat = keras.ops.reshape(instance_masks, (-1, math.prod(instance_masks.shape[1:])))
    known = keras.ops.where(flat <= count, flat, keras.ops.zeros_like(flat))
    found = keras.ops.take_along_axis(table, keras.ops.cast(known, "int32"), axis=1)
    return keras.ops.reshape(found, keras.ops.shape(instance_masks))


def affine(x: tuple[Any, Any, Any], y: tuple[Any, Any, Any]) -> Any:
    """Return matrices, (batch, 8): the pixel at column `u` and row `v` comes from column `x` and row `y`.

    Args:
        x: Factors of `u` and `v` and the constant, for the column; numbers, or (batch,) as one at least is. Pixels have
            their middle at whole numbers, as in `keras.ops.image.affine_transform`.
        y: The same for the row.
    """
    import keras

    empty = keras.ops.zeros_like(sum((*x, *y)))
    return keras.ops.stack([part + empty for part in (*x, *y, 0.0, 0.0)], axis=1)


def about_middle(images: Any, x: tuple[Any, Any], y: tuple[Any, Any]) -> Any:
    """Return the matrices of factors as in `affine` that leave the middle of the images where it is."""
    rows, columns = ((length - 1) * 0.5 for length in images.shape[1:3])
    return affine((*x, columns - columns * x[0] - rows * x[1]), (*y, rows - columns * y[0] - rows * y[1]))


def move_boxes(bounding_boxes: Mapping[str, Any], matrices: Any, size: tuple[int, int]) -> dict[str, Any]:
    """Return the smallest upright boxes around the moved ones, cut off at the edges of the image.

    Args:
        bounding_boxes: Boxes and labels, as the room says.
        matrices: What `affine` returned.
        size: Height and width of the image.
    """
    import keras

    boxes = keras.ops.cast(bounding_boxes["boxes"], "float32")
    # slices that add axes to stacked tensors lose these axes where TensorFlow simplifies a graph
    a, b, left, c, d, top = (keras.ops.expand_dims(matrices[:, position], (1, 2)) for position in range(6))
    # a pixel's middle lies half a pixel from its edge, from which boxes count
    x, y = boxes[..., 0::2] - 0.5 - left, boxes[..., 1::2] - 0.5 - top
    x, y = (keras.ops.concatenate(pair, axis=-1) for pair in ((x, x), (y, y[..., ::-1])))
    area = a * d - b * c
    columns = keras.ops.clip((d * x - b * y) / area + 0.5, 0, size[1])
    rows = keras.ops.clip((a * y - c * x) / area + 0.5, 0, size[0])
    columns, rows = keras.ops.sort(columns, axis=-1), keras.ops.sort(rows, axis=-1)
    sides = [columns[..., 0], rows[..., 0], columns[..., -1], rows[..., -1]]
    seen = (sides[2] - sides[0] >= 1) & (sides[3] - sides[1] >= 1) & (bounding_boxes["labels"] != PADDING)
    labels = keras.ops.where(seen, bounding_boxes["labels"], keras.ops.full_like(bounding_boxes["labels"], PADDING))
    return {
        **bounding_boxes,
        "boxes": keras.ops.where(seen[..., None], keras.ops.stack(sides, -1), 0.0),
        "labels": labels,
    }
