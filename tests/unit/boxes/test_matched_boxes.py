"""Which boxes learn which objects, against a loop, and how samples become weights."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnpipe.boxes.matching import match, sampling_weights
from cnnpipe.boxes.overlaps import overlap, share_inside


def boxes_of(random, count, most=40.0):
    low = random.uniform(0, 60, (count, 2))
    return np.concatenate([low, low + random.uniform(4, most, (count, 2))], -1).astype(np.float32)


def by_hand(boxes, true_boxes, real, crowd, high, low, best_of_each):
    objects, positive, negative = [0] * len(boxes), [False] * len(boxes), [False] * len(boxes)
    table = [
        [overlap(box, true) if there else 0.0 for true, there in zip(true_boxes, real, strict=True)] for box in boxes
    ]
    for row, found in enumerate(table):
        objects[row], positive[row] = int(np.argmax(found)), max(found) >= high
        inside = [share_inside(boxes[row], true) for true, is_crowd in zip(true_boxes, crowd, strict=True) if is_crowd]
        negative[row] = max(found) < low and max(inside, default=0) <= 0.5
    if best_of_each:
        for row, found in enumerate(table):
            best = [
                k
                for k in range(len(true_boxes))
                if found[k] > 0 and found[k] >= max(other[k] for other in table) - 1e-9
            ]
            if best and not positive[row]:
                objects[row], positive[row], negative[row] = max(best, key=lambda k: found[k]), True, False
    return objects, positive, negative


@pytest.mark.parametrize("best_of_each", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_boxes_have_the_objects_that_a_loop_gives_them(best_of_each, seed):
    random = np.random.default_rng(seed)
    boxes, true = boxes_of(random, 300), boxes_of(random, 6)
    real, crowd = np.array([1, 1, 0, 1, 0, 1], bool), np.array([0, 0, 0, 0, 1, 0], bool)
    found = match(boxes, keras.ops.convert_to_tensor(true), real, crowd, 0.5, 0.3, best_of_each)
    objects, positive, negative = by_hand(boxes, true, real, crowd, 0.5, 0.3, best_of_each)
    assert np.asarray(found.positive).tolist() == positive
    assert np.asarray(found.negative).tolist() == negative
    assert np.asarray(found.object_of)[positive].tolist() == np.array(objects)[positive].tolist()
    assert sum(positive) > 3
    assert not all(negative)


def test_without_any_object_all_boxes_are_negative():
    boxes, nothing = boxes_of(np.random.default_rng(0), 5), np.zeros((3, 4), np.float32)
    found = match(boxes, keras.ops.convert_to_tensor(nothing), np.zeros(3, bool), np.zeros(3, bool), 0.7, 0.3, True)
    assert not np.asarray(found.positive).any()
    assert np.asarray(found.negative).all()


@pytest.mark.parametrize(("positive", "negative"), [(3, 50), (30, 50), (0, 9), (4, 2)])
def test_weights_are_the_mean_of_many_samples(positive, negative):
    random = np.random.default_rng(1)
    kinds = random.permutation(np.repeat([1, 0, -1], [positive, negative, 7]))
    matched = type("Matched", (), {"positive": kinds == 1, "negative": kinds == 0})
    times, drawn = 3000, np.zeros(len(kinds))
    for _ in range(times):
        some = random.permutation(np.flatnonzero(kinds == 1))[:8]
        rest = random.permutation(np.flatnonzero(kinds == 0))[: 16 - len(some)]
        drawn[np.concatenate([some, rest])] += 1
    first, second = (np.asarray(found) for found in sampling_weights(matched, 16, 0.5))
    np.testing.assert_allclose(first + second, drawn / times, atol=0.04)
    assert not (first * second).any()
