"""Boxes and masks of a picture, moved to where the picture lies in a network's input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cnnpipe.datasets import IGNORED
from cnnpipe.placement import Placement

if TYPE_CHECKING:
    import numpy as np

LEAST_SIDE = 1.0
"""Pixels of the input that a box must be wide and high to be seen there, or as much as it was before."""


def placed(example: Mapping[str, Any], placement: Placement) -> dict[str, Any]:
    """Return an example with its boxes and masks in the input's pixels.

    Boxes are cut off at the edges of what is seen of the picture; those of which nothing is seen are left out, together
    with what else stands in their rows. Around a picture that is padded, pixels of `segmentation_masks` are ignored.
    """
    changed = dict(example)
    if "segmentation_masks" in example:
        changed["segmentation_masks"] = placement.move_mask(example["segmentation_masks"], IGNORED)
    instances = placement.move_mask(example["instance_masks"], 0) if "instance_masks" in example else None
    if "bounding_boxes" in example:
        changed["bounding_boxes"], seen = _boxes(example["bounding_boxes"], placement)
        instances = None if instances is None else _renumbered(instances, seen)
    if instances is not None:
        changed["instance_masks"] = instances
    return changed


def _boxes(bounding_boxes: Mapping[str, Any], placement: Placement) -> tuple[dict[str, np.ndarray], np.ndarray]:
    import numpy as np

    left, top, right, bottom = placement.inner
    moved = placement.move_boxes(bounding_boxes["boxes"])
    boxes = np.clip(moved, (left, top, left, top), (right, bottom, right, bottom)).astype(np.float32)
    sides, before = boxes[:, 2:] - boxes[:, :2], moved[:, 2:] - moved[:, :2]
    seen = (sides >= np.minimum(LEAST_SIDE, before)).all(1) & (sides > 0).all(1)
    rows = {key: np.asarray(values)[seen] for key, values in bounding_boxes.items() if key != "boxes"}
    return {"boxes": boxes[seen], **rows}, seen


def _renumbered(instances: np.ndarray, seen: np.ndarray) -> np.ndarray:
    import numpy as np

    numbers = np.concatenate([[0], np.where(seen, np.cumsum(seen), 0)]).astype(np.int32)
    found: np.ndarray = numbers[instances]
    return found
