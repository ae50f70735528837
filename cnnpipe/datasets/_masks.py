"""Masks of instances and of classes, from outlines and run lengths: what the sources of masks share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

MOST_CLASSES = 254
"""Classes that fit into bytes beside 0 for none and 255 for ignored pixels."""


def instances_of(
    outlines: Sequence[Any], labels: np.ndarray, size: tuple[int, int], crowd: Sequence[bool] = ()
) -> dict[str, np.ndarray]:
    """Return `instance_masks` and `segmentation_masks`, as the room says: of two that overlap the smaller is seen.

    Args:
        outlines: For each row of the boxes polygons, lists of x, y, x, y in pixels; or run lengths down the columns, a
            mapping with `size` and `counts`, numbers or COCO's compressed text.
        labels: For each row the position of its class.
        size: Height and width.
        crowd: Which rows are groups; instances lie over them.

    Raises:
        ValueError: Run lengths are damaged, or of another size.
    """
    import numpy as np

    runs = [_runs(outline, size) for outline in outlines]
    areas = [sum(run[1::2]) for run in runs]
    groups = crowd or [False] * len(runs)
    columns = np.zeros(size[0] * size[1], np.int32)
    for row in sorted(range(len(runs)), key=lambda row: (not groups[row], -areas[row])):
        start = 0
        for position, length in enumerate(runs[row]):
            if position % 2:
                columns[start : start + length] = row + 1
            start += length
    instances = np.ascontiguousarray(columns.reshape(size[::-1]).T)
    return {"instance_masks": instances, "segmentation_masks": classes_of(instances, labels)}


def classes_of(instances: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the class of each pixel, 0 for none, of a mask of instances; `labels` are positions of classes."""
    import numpy as np

    numbers = np.concatenate([[0], np.asarray(labels, np.int64) + 1]).astype(np.uint8)
    found: np.ndarray = numbers[instances]
    return found


def boxes_around(instances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a mask of instances whose numbers are 1 to n without gaps, in their order, and the boxes around them.

    Args:
        instances: Whole numbers of any size; 0 where there is nothing.

    Returns:
        int32 of the same shape, and `xyxy` boxes, float32 of shape `(n, 4)`.
    """
    import numpy as np
    from scipy.ndimage import find_objects

    numbers, dense = np.unique(instances, return_inverse=True)
    dense = dense.reshape(instances.shape) + (0 if numbers[0] == 0 else 1)
    parts = find_objects(dense.astype(np.int32))
    corners = [(columns.start, rows.start, columns.stop, rows.stop) for rows, columns in parts]
    return dense.astype(np.int32), np.array(corners, np.float32).reshape(-1, 4)


def _runs(outline: Any, size: tuple[int, int]) -> list[int]:
    """Return the run lengths of an outline: pixels outside and inside by turns, down the columns."""
    if not isinstance(outline, Mapping):
        from pycocotools import mask

        polygons = [list(map(float, polygon)) for polygon in outline]
        return _counts(mask.merge(mask.frPyObjects(polygons, *size))["counts"])
    if tuple(outline["size"]) != size:
        stated = "x".join(map(str, outline["size"]))
        raise ValueError(f"run lengths are for {stated} (height x width), and the picture has {size[0]}x{size[1]}")
    counts = outline["counts"]
    runs = _counts(counts.encode("ascii", "replace")) if isinstance(counts, str) else list(counts)
    if sum(runs) != size[0] * size[1] or min(runs) < 0:
        raise ValueError(f"run lengths cover {sum(runs):,} pixels, and the picture has {size[0] * size[1]:,}")
    return runs


def _counts(text: bytes) -> list[int]:
    """Return the numbers of COCO's compressed run lengths.

    Five bits a character, the lowest first; the sixth says that more follow. From the fourth on each is stored as
    the difference to the one before the last (`rleToString` in maskApi.c of https://github.com/cocodataset/cocoapi).
    """
    found: list[int] = []
    value = shift = 0
    for character in text:
        bits = character - 48
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            value -= (1 << shift) if bits & 16 else 0
            found.append(value + (found[-2] if len(found) > 2 else 0))
            value = shift = 0
    return found
