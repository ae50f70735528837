"""Non-maximum suppression: of boxes that show the same object, only the one with the best score is kept."""

from __future__ import annotations

import numpy as np

from cnnpipe.boxes.overlaps import overlap


def non_max_suppression(
    boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray, iou_threshold: float, most: int, candidates: int = 1000
) -> np.ndarray:
    """Return which boxes are kept, best first: from the best score down, those not too near to a better one kept.

    Boxes of different classes do not suppress each other; of equal scores the earlier box counts as the better one.

    Args:
        boxes: `(n, 4)` as `xyxy`.
        scores: `(n,)`, at least 0.
        labels: `(n,)`, the class of each.
        iou_threshold: A box is left out when its IoU with a kept one is above this.
        most: How many are kept at most.
        candidates: How many of the best are looked at, so that memory is bounded by the square of this.

    Returns:
        Positions of the kept boxes.
    """
    order = np.argsort(-scores, kind="stable")[:candidates]
    boxes, labels = boxes[order], labels[order]
    near = overlap(boxes[:, None], boxes[None]) > iou_threshold
    better = np.triu(near & (labels[:, None] == labels[None]), 1).astype(np.float32)
    kept = np.ones(len(order), bool)
    while True:  # after step k the first k boxes are decided at least, and mostly all of them after a few
        again = kept.astype(np.float32) @ better == 0
        if (again == kept).all():
            found: np.ndarray = order[kept][:most]
            return found
        kept = again
