"""How good classifiers are: confusion, precision, recall, F1, calibration, each with its 95 % interval."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnnpipe.statistics import Interval, bootstrap, wilson

CALIBRATION_BINS = 15


def confusion_matrix(truth: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Return how often each true class (rows) was taken for each class (columns); both arguments are class indices."""
    return np.bincount(truth * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def top_hits(truth: np.ndarray, probabilities: np.ndarray, most: int) -> int:
    """Return for how many examples the true class (an index) is among the `most` most probable ones."""
    of_truth = np.take_along_axis(probabilities, truth[:, None], 1)
    return int(((probabilities > of_truth).sum(1) < most).sum())


def per_class(truth: np.ndarray, predicted: np.ndarray) -> list[dict[str, Any]]:
    """Return precision, recall and F1 of every class.

    Args:
        truth: Whether an example is of a class, shape (examples, classes), bool.
        predicted: Whether it was said to be, the same shape.

    Returns:
        One mapping per class: `n` (examples of the class), and for each measure `value`, `n` (what it is a share of)
        and `interval`. A measure of nothing has the value 0, n 0 and no narrower interval than (0, 1).
    """
    hits = (truth & predicted).sum(0)
    rows = []
    for k, (hit, said, true) in enumerate(
        zip(hits.tolist(), predicted.sum(0).tolist(), truth.sum(0).tolist(), strict=True)
    ):
        either = truth[:, k] | predicted[:, k]
        f1 = {"value": 2 * hit / max(said + true, 1), "n": int(either.sum()), "interval": (0.0, 1.0)}
        if said + true:
            f1["interval"] = _f1_interval(truth[either, k], predicted[either, k])
        rows.append({"n": true, "precision": _share(hit, said), "recall": _share(hit, true), "f1": f1})
    return rows


def macro_f1(truth: np.ndarray, predicted: np.ndarray) -> tuple[float, Interval | None]:
    """Return the unweighted mean of the classes' F1, and its interval (bootstrap over examples)."""
    columns = np.concatenate([truth & predicted, truth, predicted], axis=1).astype(float)
    return float(_macro_f1(columns.sum(0)[None])[0]), bootstrap(columns, _macro_f1)


def calibration(
    confidences: np.ndarray, correct: np.ndarray
) -> tuple[float, tuple[float, float] | None, list[dict[str, Any]]]:
    """Return the expected calibration error (Guo et al. 2017, equation 3, 15 bins of equal width).

    Args:
        confidences: What was said, in [0, 1], shape (examples, decisions per example).
        correct: What was so, 0 or 1, the same shape.

    Returns:
        The error, its interval (bootstrap over examples), and the reliability diagram: for each bin that is not empty
        its limits, number of decisions, mean confidence and share of correct ones.
    """
    bins = np.clip(np.ceil(confidences * CALIBRATION_BINS).astype(int) - 1, 0, CALIBRATION_BINS - 1)
    cells = np.arange(len(bins))[:, None] * CALIBRATION_BINS + bins
    columns = np.concatenate([
        np.bincount(cells.ravel(), weights.astype(float).ravel(), len(bins) * CALIBRATION_BINS).reshape(len(bins), -1)
        for weights in (np.ones(bins.shape), confidences, correct)
    ], axis=1)  # fmt: skip
    sums = columns.sum(0)
    counts, said, right = sums.reshape(3, CALIBRATION_BINS)
    diagram = [
        {"low": b / CALIBRATION_BINS, "high": (b + 1) / CALIBRATION_BINS, "n": int(counts[b]),
         "confidence": said[b] / counts[b], "correct": right[b] / counts[b]}
        for b in np.flatnonzero(counts).tolist()
    ]  # fmt: skip
    return float(_calibration_error(sums[None])[0]), bootstrap(columns, _calibration_error), diagram


def example_f1(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return each example's F1 over its labels (Tsoumakas and Katakis 2007), 1 when it has none and none was said."""
    both, total = (truth & predicted).sum(1), truth.sum(1) + predicted.sum(1)
    return np.where(total == 0, 1.0, 2 * both / np.maximum(total, 1))


def _share(successes: int, n: int) -> dict[str, Any]:
    return {"value": successes / n if n else 0.0, "n": n, "interval": wilson(successes, n)}


def _f1_interval(truth: np.ndarray, predicted: np.ndarray) -> Interval:
    return bootstrap(np.stack([truth & predicted, truth, predicted], axis=1).astype(float), _macro_f1) or (0.0, 1.0)


def _macro_f1(sums: np.ndarray) -> np.ndarray:
    hits, true, said = np.split(sums, 3, axis=1)
    return np.asarray((2 * hits / np.maximum(true + said, 1)).mean(1))


def _calibration_error(sums: np.ndarray) -> np.ndarray:
    counts, said, right = np.split(sums, 3, axis=1)
    return np.asarray(np.abs(said - right).sum(1) / np.maximum(counts.sum(1), 1))
