"""What mirroring does to the classes, measured on thumbnails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnpipe.examination import Examination
from cnnpipe.examination.pictures import THUMBNAIL

if TYPE_CHECKING:
    import numpy as np

AXES = {"horizontal": 2, "vertical": 1}
OFTEN, SELDOM = 0.5, 0.2
"""Two classes are exchanged when more than this share of each looks like the other once mirrored, and less before."""
ENOUGH = 5
"""From how many pictures on the mean of a class says something."""


def exchanged(data: Examination, direction: str) -> list[tuple[str, str, float]]:
    """Return pairs of classes that are each other's mirror images, with the share of pictures of which that is true.

    Each thumbnail is given to the class with the nearest mean, once as it is and once mirrored.
    """
    import numpy as np

    pictures = [(example.labels[0], picture) for example, picture in data.pictures if len(example.labels) == 1]
    names = [name for name in data.class_names if sum(label == name for label, _ in pictures) >= ENOUGH]
    pictures = [(label, picture) for label, picture in pictures if label in names]
    if len(names) < 2:
        return []
    pixels = np.frombuffer(b"".join(picture.thumbnail for _, picture in pictures), np.uint8)
    pixels = pixels.reshape(-1, *THUMBNAIL).mean(-1, dtype=np.float32)
    labels = np.array([names.index(label) for label, _ in pictures])
    means = np.stack([pixels[labels == number].mean(0) for number in range(len(names))])
    before = _table(_nearest(pixels, means), labels, len(names))
    after = _table(_nearest(np.flip(pixels, AXES[direction]), means), labels, len(names))
    both, seldom = np.minimum(after, after.T), np.maximum(before, before.T)
    found = np.argwhere((both > OFTEN) & (seldom < SELDOM))
    return [(names[a], names[b], float(both[a, b])) for a, b in found.tolist() if a < b]


def _nearest(pixels: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Return the number of the class whose mean is nearest to each picture."""
    rows, centres = pixels.reshape(len(pixels), -1), means.reshape(len(means), -1)
    nearest = (centres**2).sum(1) - 2 * rows @ centres.T
    return nearest.argmin(1)  # type: ignore[no-any-return]


def _table(nearest: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """Return the share of each class's pictures (row) that are nearest to each class (column)."""
    import numpy as np

    table = np.zeros((count, count))
    np.add.at(table, (labels, nearest), 1)
    return table / table.sum(1, keepdims=True)  # type: ignore[no-any-return]
