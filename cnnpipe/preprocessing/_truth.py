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
CUT = 1e-3
"""Pixels that a box must lose at an edge to count as cut off; less is rounding."""


def placed(example: Mapping[str, Any], placement: Placement) -> dict[str, Any]:
    """Return an example with its boxes and masks in the input's pixels.

    Boxes are cut off at the edges of what is seen of the picture; those of which nothing is seen are left out, together
    with what else stands in their rows. Where there are masks of instances, the box of one that is cut off is that of
    what is left of it: a slanted object leaves much of its old box empty. Around a picture that is padded, pixels of
    `segmentation_masks` are ignored.
    """
    changed = dict(example)
    if "segmentation_masks" in example:
        changed["segmentation_masks"] = placement.move_mask(example["segmentation_masks"], IGNORED)
    instances = placement.move_mask(example["instance_masks"], 0) if "instance_masks" in example else None
    if "bounding_boxes" in example:
        changed["bounding_boxes"], seen = _boxes(example["bounding_boxes"], placement, instances)
        instances = None if instances is None else _renumbered(instances, seen)
    if instances is not None:
        changed["instance_masks"] = instances
    return changed


def _boxes(
    bounding_boxes: Mapping[str, Any], placement: Placement, instances: np.ndarray | None
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    import numpy as np

    left, top, right, bottom = placement.inner
    moved = placement.move_boxes(bounding_boxes["boxes"])
    boxes = np.clip(moved, (left, top, left, top), (right, bottom, right, bottom)).astype(np.float32)
    if instances is not None:
        boxes = _refitted(boxes, np.abs(boxes - moved).max(1, initial=0) > CUT, instances)
    sides, before = boxes[:, 2:] - boxes[:, :2], moved[:, 2:] - moved[:, :2]
    seen = (sides >= np.minimum(LEAST_SIDE, before)).all(1) & (sides > 0).all(1)
    rows = {key: np.asarray(values)[seen] for key, values in bounding_boxes.items() if key != "boxes"}
    return {"boxes": boxes[seen], **rows}, seen


def _refitted(boxes: np.ndarray, cut: np.ndarray, instances: np.ndarray) -> np.ndarray:
    """Return the boxes, those that are cut as far as pixels of their instances are seen; without any they are empty."""
    import numpy as np

    found = boxes.copy()
    for row in np.flatnonzero(cut):
        left, top = np.floor(boxes[row, :2]).astype(int)
        right, bottom = np.ceil(boxes[row, 2:]).astype(int)
        shown = instances[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] == row + 1
        rows, columns = np.flatnonzero(shown.any(1)), np.flatnonzero(shown.any(0))
        if not len(rows):
            found[row, 2:] = found[row, :2]
            continue
        seen = (left + columns[0], top + rows[0], left + columns[-1] + 1, top + rows[-1] + 1)
        found[row, :2] = np.maximum(boxes[row, :2], seen[:2])
        found[row, 2:] = np.minimum(boxes[row, 2:], seen[2:])
    return found


def _renumbered(instances: np.ndarray, seen: np.ndarray) -> np.ndarray:
    import numpy as np

    numbers = np.concatenate([[0], np.where(seen, np.cumsum(seen), 0)]).astype(np.int32)
    found: np.ndarray = numbers[instances]
    return found
