"""Boxes of the same class around the same thing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cnnpipe.diagnosis import Finding, counted
from cnnpipe.examination import Examination

if TYPE_CHECKING:
    import numpy as np

IN_EVERY_RUN = False
SAME = 0.9
"""From which intersection over union on two boxes are one, marked twice."""
AT_ONCE = 500
"""Boxes that are compared with all others of their picture at once."""


def findings(data: Examination) -> Iterator[Finding]:
    """Return one warning for all of them."""
    places, pictures = [], 0
    for example, objects in data.objects:
        found = same_boxes(objects.boxes, objects.labels)
        pictures += bool(found)
        for first, second in found:
            corners = ", ".join(f"{corner:g}" for corner in objects.boxes[second].tolist())
            name = data.source_class_names[objects.labels[first]]
            places.append(f"{example.shown} ('{name}' [{corners}])")
    if places:
        yield Finding(
            "warning",
            f"{counted(len(places), 'box', 'boxes')} in {counted(pictures, 'picture')} lie on another one of their "
            "class",
            len(places),
            tuple(places),
            f"They cover the same by {SAME:.0%} or more: delete one of each, or the model learns to find things twice.",
        )


def same_boxes(boxes: np.ndarray, labels: np.ndarray) -> list[tuple[int, int]]:
    """Return the pairs of rows, the lower first, of one class whose boxes cover the same."""
    import numpy as np

    found: list[tuple[int, int]] = []
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    for start in range(0, len(boxes), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        low = np.maximum(boxes[part, None, :2], boxes[None, :, :2])
        high = np.minimum(boxes[part, None, 2:], boxes[None, :, 2:])
        common = np.prod(np.maximum(high - low, 0), axis=2)
        union = areas[part, None] + areas[None, :] - common
        same = (common >= SAME * union) & (labels[part, None] == labels[None, :])
        rows, columns = np.nonzero(same)
        found += [(row + start, column) for row, column in zip(rows.tolist(), columns.tolist(), strict=True)]
    return [(first, second) for first, second in found if first < second]
