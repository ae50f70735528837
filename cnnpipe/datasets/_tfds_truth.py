"""Boxes and masks as the records of TensorFlow Datasets hold them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from cnnpipe.datasets._mask_values import MaskValues, masked_classes


def boxes_of(
    numbers: Sequence[Any], labels: Sequence[Any], crowd: Sequence[Any] | None, picture: bytes, names: Sequence[str]
) -> dict[str, Any]:
    """Return `labels` and `bounding_boxes`, as the room says.

    Args:
        numbers: Top, left, bottom and right of each box, as shares of the picture, one behind the other.
        labels: The class of each.
        crowd: Whether each stands for a group; None when nothing says so.
        picture: The file.
        names: The class names.

    Raises:
        ValueError: There are more or fewer boxes than classes, or a box has no area.
    """
    import numpy as np

    from cnnpipe.preprocessing.image import true_size

    if len(numbers) != 4 * len(labels):
        raise ValueError(f"it holds {len(numbers) / 4:g} boxes and {len(labels)} classes")
    width, height = true_size(picture)
    shares = np.array(numbers, np.float32).reshape(-1, 4)[:, (1, 0, 3, 2)]
    boxes = np.clip(shares, 0, 1) * np.array((width, height, width, height), np.float32)
    if empty := np.flatnonzero((boxes[:, 2:] <= boxes[:, :2]).any(1)).tolist():
        raise ValueError(f"its box {empty[0]} has no area")
    found: dict[str, Any] = {"boxes": boxes, "labels": np.array(labels, np.int32)}
    if crowd is not None:
        found["crowd"] = np.array(crowd, bool)
    return {"labels": tuple(names[label] for label in sorted(set(labels))), "bounding_boxes": found}


def mask_of(masks: Sequence[Any], picture: bytes, values: MaskValues, names: Sequence[str]) -> dict[str, Any]:
    """Return `labels` and `segmentation_masks`, as the room says.

    Raises:
        ValueError: It holds no mask, one of another size, or one with what has no meaning.
    """
    from cnnpipe.preprocessing.image import true_size

    if len(masks) != 1 or not isinstance(masks[0], bytes):
        raise ValueError("it holds no mask")
    truth = masked_classes(io.BytesIO(masks[0]), values, true_size(picture)[::-1])
    return {"labels": tuple(names[number - 1] for number in truth.pop("numbers")), **truth}
