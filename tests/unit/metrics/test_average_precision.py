"""Average precision by COCO's rules, against a plain loop over overlaps, detections and recalls."""

from __future__ import annotations

import numpy as np
import pytest

from cnnpipe.boxes.overlaps import overlap
from cnnpipe.metrics.average_precision import IOUS, RECALLS, Objects, average_precision, coco_masks


def random_case(seed, images=6, classes=3):
    random = np.random.default_rng(seed)
    truth, found = [], []
    for _ in range(images):
        count = random.integers(0, 5)
        corners = random.uniform(0, 50, (count, 2))
        boxes = np.concatenate([corners, corners + random.uniform(5, 30, (count, 2))], 1).astype(np.float32)
        labels = random.integers(0, classes, count)
        truth.append(Objects(boxes, labels))
        more = random.integers(0, 4)
        near = (boxes + random.normal(0, 2, boxes.shape)).astype(np.float32)
        others = np.concatenate([random.uniform(0, 30, (more, 2)), random.uniform(40, 70, (more, 2))], 1)
        found.append(
            Objects(
                np.concatenate([near, others.astype(np.float32)]),
                np.concatenate([labels, random.integers(0, classes, more)]),
                random.random(count + more),
            )
        )
    return truth, found


def by_hand(truth, found, label, threshold):
    """The AP of one class at one overlap, image after image, detection after detection."""
    total = sum(int((one.labels == label).sum()) for one in truth)
    if not total:
        return None
    hits = []
    for true, said in zip(truth, found, strict=True):
        left = [box.astype(float) for box in true.boxes[true.labels == label]]
        rows = [row for row in range(len(said.labels)) if said.labels[row] == label]
        for row in sorted(rows, key=lambda row: -said.scores[row]):
            ious = [float(overlap(said.boxes[row].astype(float), box)) for box in left]
            right = bool(ious) and max(ious) >= threshold
            if right:
                left.pop(int(np.argmax(ious)))
            hits.append((said.scores[row], right))
    hits.sort(key=lambda hit: -hit[0])
    right, precisions, recalls = 0, [], []
    for number, (_, good) in enumerate(hits, start=1):
        right += good
        precisions.append(right / number)
        recalls.append(right / total)
    values = [
        max([p for p, r in zip(precisions, recalls, strict=True) if r >= recall], default=0) for recall in RECALLS
    ]
    return float(np.mean(values))


@pytest.mark.parametrize("seed", range(6))
def test_average_precision_is_that_of_a_loop(seed):
    truth, found = random_case(seed)
    measured = average_precision(truth, found, 3)
    each = [[by_hand(truth, found, label, threshold) for threshold in IOUS] for label in range(3)]
    for label, values in enumerate(each):
        if values[0] is None:
            assert measured.classes[label] is None
        else:
            assert measured.classes[label] == pytest.approx((values[0], np.mean(values)), abs=1e-6)
    seen = [values for values in each if values[0] is not None]
    assert measured.map50 == pytest.approx(np.mean([values[0] for values in seen]), abs=1e-6)
    assert measured.map50_95 == pytest.approx(np.mean(seen), abs=1e-6)
    assert measured.interval50[0] <= measured.map50 <= measured.interval50[1]


def test_a_class_that_no_image_shows_has_no_value_and_does_not_count():
    truth = [Objects(np.float32([[0, 0, 10, 10]]), np.array([1]))] * 2
    found = [Objects(np.float32([[0, 0, 10, 10], [20, 20, 30, 30]]), np.array([1, 0]), np.array([0.9, 0.8]))] * 2
    measured = average_precision(truth, found, 3)
    assert measured.classes == [None, (1.0, 1.0), None]
    assert measured.curves[0] is None
    assert measured.map50 == 1.0
    assert list(measured.objects) == [0, 2, 0]


def test_images_without_anything_are_no_trouble():
    nothing = Objects(np.zeros((0, 4), np.float32), np.zeros(0, int), np.zeros(0))
    measured = average_precision([nothing] * 3, [nothing] * 3, 2)
    assert measured.map50 is None
    assert measured.interval50 is None
    assert measured.classes == [None, None]


def test_what_is_found_in_a_crowd_counts_neither_way():
    truth = [
        Objects(np.float32([[0, 0, 10, 10], [20, 20, 60, 60]]), np.array([0, 0]), crowd=np.array([False, True]))
    ] * 2
    found = [Objects(np.float32([[25, 25, 35, 35], [0, 0, 10, 10]]), np.array([0, 0]), np.array([0.9, 0.5]))] * 2
    measured = average_precision(truth, found, 1)
    assert measured.map50 == pytest.approx(1.0)
    assert list(measured.objects) == [2]


def test_masks_are_compared_where_there_are_some():
    """Two shapes that share a box: the diagonal half of it, and the other half."""
    half = np.tri(8, dtype=bool)
    box, label, score = np.float32([[0, 0, 8, 8]]), np.array([0]), np.array([0.9])
    truth = [Objects(box, label, masks=coco_masks(half[None]))] * 2
    for masks, value in ((half, 1.0), (~half, 0.0)):
        found = [Objects(box, label, score, masks=coco_masks(masks[None]))] * 2
        assert average_precision(truth, found, 1).map50 == pytest.approx(value)
    nothing = Objects(np.zeros((0, 4)), np.zeros(0, int), np.zeros(0), masks=coco_masks(np.zeros((0, 8, 8), bool)))
    assert average_precision(truth, [nothing] * 2, 1).map50 == 0


def test_only_the_best_are_counted():
    count = 120
    corners = np.stack([np.arange(count) * 10, np.zeros(count)], 1)
    boxes, labels = np.concatenate([corners, corners + 8], 1).astype(np.float32), np.zeros(count, int)
    truth, found = [Objects(boxes, labels)], [Objects(boxes, labels, np.linspace(0.9, 0.1, count))]
    assert average_precision(truth, found, 1).map50 == pytest.approx(84 / 101)  # recalls up to 100 of 120
    assert average_precision(truth, found, 1, most=150).map50 == pytest.approx(1.0)
