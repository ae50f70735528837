"""The score of the Data Science Bowl, against plain loops over thresholds, true and said instances."""

from __future__ import annotations

import numpy as np
import pytest

from cnnpipe.metrics.data_science_bowl import Instances, data_science_bowl, disjoint


def random_mask(random, count, size=(20, 24)):
    mask = np.zeros(size, np.int32)
    for number in range(1, count + 1):
        top, left, height, width = random.integers(0, 16), random.integers(0, 20), *random.integers(2, 9, 2)
        mask[top : top + height, left : left + width] = number
    return mask


def by_hand(truth, said):
    values = []
    for threshold in (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95):
        true = [k for k in range(1, len(truth.labels) + 1) if (truth.mask == k).any()]
        guessed = [k for k in range(1, len(said.labels) + 1) if (said.mask == k).any()]
        right = 0
        for k in true:
            for j in guessed:
                both, either = (
                    ((truth.mask == k) & (said.mask == j)).sum(),
                    ((truth.mask == k) | (said.mask == j)).sum(),
                )
                right += truth.labels[k - 1] == said.labels[j - 1] and both / either > threshold
        total = right + (len(guessed) - right) + (len(true) - right)
        values.append(right / total if total else 1.0)
    return np.mean(values)


@pytest.mark.parametrize("seed", range(8))
def test_the_score_is_that_of_a_loop(seed):
    random = np.random.default_rng(seed)
    mask = random_mask(random, 7)
    truth = Instances(mask, random.integers(0, 2, 7))
    moved = np.roll(mask, 1, seed % 2)
    moved[mask == 3] = 0
    said = Instances(moved, np.where(random.random(7) < 0.8, truth.labels, 1 - truth.labels))
    assert data_science_bowl(truth, said) == pytest.approx(by_hand(truth, said))
    assert by_hand(truth, said) < 1


def test_an_image_without_anything_is_right_when_nothing_is_said():
    nothing = Instances(np.zeros((4, 4), np.int32), np.zeros(0, int))
    one = Instances(np.eye(4, dtype=np.int32), np.zeros(1, int))
    assert data_science_bowl(nothing, nothing) == 1
    assert data_science_bowl(nothing, one) == data_science_bowl(one, nothing) == 0


def test_what_is_found_in_a_crowd_counts_neither_way():
    mask = np.zeros((6, 6), np.int32)
    mask[:2], mask[3:] = 1, 2
    truth = Instances(mask, np.zeros(2, int), np.array([False, True]))
    said = np.zeros((6, 6), np.int32)
    said[:2], said[4] = 1, 2
    assert data_science_bowl(truth, Instances(said, np.zeros(2, int))) == 1
    assert data_science_bowl(Instances(mask, np.zeros(2, int)), Instances(said, np.zeros(2, int))) < 1


def test_the_earlier_of_two_masks_is_seen():
    masks = np.zeros((2, 3, 3), bool)
    masks[0, :2], masks[1, 1:] = True, True
    assert disjoint(masks).tolist() == [[1, 1, 1], [1, 1, 1], [2, 2, 2]]
    assert not disjoint(np.zeros((0, 3, 3), bool)).any()
