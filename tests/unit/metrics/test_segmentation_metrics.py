"""Numbers about class maps against plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cnnpipe import run_lengths
from cnnpipe.metrics import segmentation

IGNORED = 255


def maps(seed: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    random = np.random.default_rng(seed)
    truth = [random.integers(0, 3, (7, 9)).astype(np.uint8) for _ in range(4)]
    said = [random.integers(0, 3, (7, 9)) for _ in range(4)]
    for mask in truth:
        mask[random.random(mask.shape) < 0.2] = IGNORED
    return truth, said


@pytest.mark.parametrize("seed", range(3))
def test_iou_is_that_of_counting(seed: int) -> None:
    truth, said = maps(seed)
    total = segmentation.confusions(truth, said, 4, IGNORED).sum(0)
    for number in range(3):
        both = union = 0
        for true, answer in zip(truth, said, strict=True):
            for here, there in zip(true.ravel(), answer.ravel(), strict=True):
                if here != IGNORED:
                    both += here == number and there == number
                    union += here == number or there == number
        assert segmentation.intersection_over_union(total)[number] == pytest.approx(both / union)
    assert math.isnan(segmentation.intersection_over_union(total)[3])
    assert segmentation.mean_iou(total) == pytest.approx(segmentation.intersection_over_union(total)[:3].mean())


def test_a_mean_without_any_class_is_none_and_no_crash() -> None:
    assert segmentation.mean_iou(np.zeros((2, 2), int)) == 0


def test_errors_lie_where_they_were_made() -> None:
    truth = np.zeros((20, 20), np.uint8)
    truth[:, 10:] = 1
    said = truth.astype(int)
    said[:, 10] = 0  # one column wrong, right at the boundary
    said[0, 0] = 1  # one pixel ten columns away from it
    rows = segmentation.errors_by_distance([truth], [said], IGNORED)
    assert [row["up_to"] for row in rows] == [1, 2, 3, 5, 8, 13, 21, None]
    assert rows[0]["errors"] == pytest.approx(0.5)
    assert rows[5]["errors"] == pytest.approx(1 / rows[5]["pixels"])
    assert all(row["errors"] in (0, None) for position, row in enumerate(rows) if position not in (0, 5))
    assert sum(row["pixels"] for row in rows) == 400


def test_a_picture_of_one_class_has_no_boundary() -> None:
    mask = np.zeros((5, 5), np.uint8)
    rows = segmentation.errors_by_distance([mask], [mask.astype(int)], IGNORED)
    assert rows[-1] == {"up_to": None, "pixels": 25, "errors": 0.0}


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (0, 4), (16, 16)])
def test_runs_come_back(shape: tuple[int, int]) -> None:
    mask = np.random.default_rng(0).integers(0, 2, shape)
    runs = run_lengths.encode(mask)
    assert np.array_equal(run_lengths.decode(runs), mask)
    assert sum(runs["lengths"]) == mask.size
