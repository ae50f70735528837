"""Numbers that compare class maps with the truth. Numpy only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

BANDS = (1, 2, 3, 5, 8, 13, 21)
"""Distances from the nearest boundary, in pixels, up to which errors are counted together."""


def confusions(truth: Sequence[np.ndarray], said: Sequence[np.ndarray], classes: int, ignored: int) -> np.ndarray:
    """Return how many pixels of each true class (rows) were given each class (columns), for each image.

    Args:
        truth: Class maps, `(height, width)` each, integers below `classes`, or `ignored`.
        said: Class maps of the same sizes, integers below `classes`.
        classes: Number of classes.
        ignored: What pixels hold that do not count.

    Returns:
        int64 of shape `(images, classes, classes)`.
    """
    found = np.zeros((len(truth), classes, classes), np.int64)
    for row, true, answer in zip(found, truth, said, strict=True):
        known = true != ignored
        pairs = true[known].astype(np.int64) * classes + answer[known]
        row[:] = np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)
    return found


def intersection_over_union(matrix: np.ndarray) -> np.ndarray:
    """Return the IoU of each class, shape `(..., classes)`; not-a-number where nothing shows it and nobody said it.

    Args:
        matrix: Confusions, shape `(..., classes, classes)`.
    """
    both = np.diagonal(matrix, axis1=-2, axis2=-1).astype(float)
    union = matrix.sum(-1) + matrix.sum(-2) - both
    each: np.ndarray = np.divide(both, union, out=np.full(both.shape, np.nan), where=union > 0)
    return each


def mean_iou(matrix: np.ndarray) -> np.ndarray:
    """Return the mean IoU of the classes that have one, shape `(...)`; 0 where none has."""
    each = intersection_over_union(matrix)
    counted = ~np.isnan(each)
    mean: np.ndarray = np.where(counted, each, 0).sum(-1) / np.maximum(counted.sum(-1), 1)
    return mean


def errors_by_distance(
    truth: Sequence[np.ndarray], said: Sequence[np.ndarray], ignored: int
) -> list[dict[str, float | int | None]]:
    """Return the share of wrong pixels by their distance from the nearest true boundary (Kohli et al. 2009, section 5).

    Returns:
        A row for each band of `BANDS` and one for all beyond: `up_to` (pixels, None for the last), `pixels`, `errors`
        (share of them, None where there are none).
    """
    pixels, wrong = np.zeros(len(BANDS) + 1, np.int64), np.zeros(len(BANDS) + 1, np.int64)
    for true, answer in zip(truth, said, strict=True):
        known = true != ignored
        band = np.searchsorted(BANDS, _distances(true)[known])
        pixels += np.bincount(band, minlength=len(pixels))
        wrong += np.bincount(band[(true != answer)[known]], minlength=len(pixels))
    return [
        {"up_to": end, "pixels": int(count), "errors": float(bad / count) if count else None}
        for end, count, bad in zip((*BANDS, None), pixels, wrong, strict=True)
    ]


def errors_near_and_far(truth: np.ndarray, said: np.ndarray, near: int, ignored: int) -> np.ndarray:
    """Return where an answer is wrong, uint8: 1 up to `near` pixels from the nearest true boundary, 2 beyond, else 0.

    Args:
        truth: The class of each pixel, `(height, width)`.
        said: The same, as it was answered.
        near: Pixels; those beside a boundary are 1 from it.
        ignored: What pixels of `truth` show that nobody knows.
    """
    wrong = (truth != said) & (truth != ignored)
    return np.where(wrong, np.where(_distances(truth) <= near, 1, 2), 0).astype(np.uint8)


def _distances(mask: np.ndarray) -> np.ndarray:
    """Return how far each pixel is from the nearest boundary, 1 beside it; infinite where there is none."""
    from scipy.ndimage import distance_transform_edt

    edges = _boundary(mask)
    apart: np.ndarray = distance_transform_edt(~edges) + 1 if edges.any() else np.full(mask.shape, np.inf)
    return apart


def _boundary(mask: np.ndarray) -> np.ndarray:
    """Return the pixels that have a neighbour of another class beside or below or above them."""
    edges = np.zeros(mask.shape, bool)
    across, down = mask[:, 1:] != mask[:, :-1], mask[1:] != mask[:-1]
    edges[:, 1:] |= across
    edges[:, :-1] |= across
    edges[1:] |= down
    edges[:-1] |= down
    return edges
