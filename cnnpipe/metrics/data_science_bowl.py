"""The score of the 2018 Data Science Bowl: of all objects, found or said, the share that is right in both ways.

Kaggle's evaluation page of that competition calls it the mean average precision at different IoU thresholds; Caicedo et
al. 2019, "Nucleus segmentation across imaging experiments", has its results.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

IOUS = np.linspace(0.5, 0.95, 10)
"""Above which overlap an object is found. No two objects overlap a third one more than half, so each has one match."""


@dataclass(frozen=True)
class Instances:
    """The instances of one image, none over another.

    Args:
        mask: `(height, width)` integers: k where instance k - 1 is seen, 0 for none.
        labels: `(n,)`, the class of each.
        crowd: `(n,)` bool, whether it stands for a crowd, whose finding counts neither as right nor as wrong; None when
            none does.
    """

    mask: np.ndarray
    labels: np.ndarray
    crowd: np.ndarray | None = None


def data_science_bowl(truth: Instances, said: Instances) -> float:
    """Return the score of one image: the mean over `IOUS` of TP / (TP + FP + FN), 1 where there is nothing to find.

    An instance is found when one of the same class overlaps it more than the threshold. Instances of which no pixel is
    seen do not count.
    """
    common, true_areas, areas = _areas(truth, said)
    iou = common / np.maximum(true_areas[:, None] + areas[None] - common, 1)
    crowd = np.zeros(len(true_areas), bool) if truth.crowd is None else truth.crowd.astype(bool)
    same = truth.labels[:, None] == said.labels[None]
    iou = np.where(same & ~crowd[:, None], iou, 0.0)
    right = (iou[None] > IOUS[:, None, None]).any(1)  # (thresholds, said)
    in_crowd = common[crowd].sum(0) > areas / 2
    wrong = ~right & (areas > 0) & ~in_crowd
    found, missed = right.sum(1), ((true_areas > 0) & ~crowd).sum() - right.sum(1)
    total = found + wrong.sum(1) + missed
    return float(np.where(total, found / np.maximum(total, 1), 1.0).mean())


def disjoint(masks: np.ndarray) -> np.ndarray:
    """Return masks as one: k where mask k - 1 is seen; where several are the earlier one, int32 `(height, width)`.

    Args:
        masks: bool `(n, height, width)`.
    """
    seen = np.zeros(masks.shape[1:], np.int32)
    for number in range(len(masks), 0, -1):
        seen[masks[number - 1]] = number
    return seen


def _areas(truth: Instances, said: Instances) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return common pixels of each pair, `(true, said)`, and the pixels of each true and each said instance."""
    rows, columns = len(truth.labels) + 1, len(said.labels) + 1
    pairs = truth.mask.astype(np.int64).ravel() * columns + said.mask.astype(np.int64).ravel()
    table = np.bincount(pairs, minlength=rows * columns).reshape(rows, columns)
    return table[1:, 1:], table[1:].sum(1), table[:, 1:].sum(0)
