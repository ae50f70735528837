"""Arithmetic of boxes, against loops that say what is meant."""

from __future__ import annotations

import math

import keras
import numpy as np
import pytest

from cnnpipe.boxes.anchors import anchors, decode, encode
from cnnpipe.boxes.assignment import assign
from cnnpipe.boxes.overlaps import overlap, share_inside
from cnnpipe.boxes.suppression import non_max_suppression

KINDS = ("iou", "giou", "diou", "ciou")


def random_boxes(random, count, size=64.0):
    corners = random.uniform(0, size, (count, 2, 2))
    return np.concatenate([corners.min(1), corners.max(1)], 1).astype(np.float32)


def by_hand(a, b, kind):
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    common = width * height
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common
    iou = common / union if union else 0.0
    around = max(a[2], b[2]) - min(a[0], b[0]), max(a[3], b[3]) - min(a[1], b[1])
    if kind == "giou":
        return iou - (around[0] * around[1] - union) / (around[0] * around[1])
    apart = (a[0] + a[2] - b[0] - b[2]) / 2, (a[1] + a[3] - b[1] - b[3]) / 2
    distance = (apart[0] ** 2 + apart[1] ** 2) / (around[0] ** 2 + around[1] ** 2)
    if kind == "diou":
        return iou - distance
    angles = [math.atan2(box[2] - box[0], box[3] - box[1]) for box in (a, b)]
    shape = 4 / math.pi**2 * (angles[0] - angles[1]) ** 2
    return iou if kind == "iou" else iou - distance - shape * shape / (1 - iou + shape)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ops", [np, keras.ops])
def test_overlaps_of_all_pairs_are_those_of_a_loop(kind, ops):
    random = np.random.default_rng(0)
    first, second = random_boxes(random, 7), random_boxes(random, 5)
    found = np.asarray(overlap(first[:, None], second[None], kind, ops))
    expected = [[by_hand(a.astype(float), b.astype(float), kind) for b in second] for a in first]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_box_overlaps_itself_wholly_and_an_empty_one_not_at_all(kind):
    box, empty = np.float32([[3, 4, 20, 9]]), np.zeros((1, 4), np.float32)
    assert overlap(box, box, kind) == pytest.approx(1.0, abs=1e-5)
    assert np.isfinite(overlap(box, empty, kind))
    assert overlap(empty, empty, "iou") == 0


def test_share_inside():
    assert share_inside(np.float32([0, 0, 10, 10]), np.float32([5, 0, 100, 100])) == pytest.approx(0.5)


def test_anchors_are_the_middles_of_the_cells():
    found = anchors({"P3": (2, 3), "P4": (1, 2)}, 4.0)
    assert found.tolist()[:4] == [[4, 4, 32, 32], [12, 4, 32, 32], [20, 4, 32, 32], [4, 12, 32, 32]]
    assert found.tolist()[6:] == [[8, 8, 64, 64], [24, 8, 64, 64]]


@pytest.mark.parametrize("ops", [np, keras.ops])
def test_decoding_undoes_encoding(ops):
    places = anchors({"P3": (8, 8)}, 4.0)
    boxes = random_boxes(np.random.default_rng(1), len(places)) + np.float32([0, 0, 1, 1])
    np.testing.assert_allclose(decode(encode(boxes, places, ops), places, ops), boxes, atol=1e-3)


def test_a_number_of_a_box_means_what_a_fixed_anchor_decoder_makes_of_it():
    y, x, height, width = 0.5, -0.25, 0.3, -0.2
    anchor = np.float32([[40, 24, 32, 16]])
    left, top, right, bottom = decode(np.float32([[y, x, height, width]]), anchor)[0]
    assert (left + right) / 2 == pytest.approx(x * 32 + 40)
    assert (top + bottom) / 2 == pytest.approx(y * 16 + 24)
    assert right - left == pytest.approx(math.exp(width) * 32, rel=1e-5)
    assert bottom - top == pytest.approx(math.exp(height) * 16, rel=1e-5)


def suppressed_by_hand(boxes, scores, labels, threshold, most):
    kept = []
    for i in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        if all(labels[i] != labels[k] or by_hand(boxes[i], boxes[k], "iou") <= threshold for k in kept):
            kept.append(i)
    return kept[:most]


@pytest.mark.parametrize("seed", range(8))
def test_suppression_is_that_of_a_loop(seed):
    random = np.random.default_rng(seed)
    boxes = random_boxes(random, 60, 40.0)
    scores, labels = random.random(60).astype(np.float32), random.integers(0, 3, 60)
    for threshold in (0.1, 0.3, 0.6):
        found = non_max_suppression(boxes, scores, labels, threshold, 20)
        assert found.tolist() == suppressed_by_hand(boxes.astype(float), scores, labels, threshold, 20)


def test_suppression_of_nothing_is_nothing():
    assert non_max_suppression(np.zeros((0, 4)), np.zeros(0), np.zeros(0, int), 0.5, 10).tolist() == []


def assigned_by_hand(scores, boxes, middles, strides, true_boxes, labels, top):
    points, classes = scores.shape
    wanted = []  # of each object: measure and IoU at the points that it takes
    for box, label in zip(true_boxes, labels, strict=True):
        measure, iou = np.zeros(points), np.zeros(points)
        for n in range(points):
            x, y = middles[n]
            within = box[0] < x < box[2] and box[1] < y < box[3]
            near = max(abs((box[0] + box[2]) / 2 - x), abs((box[1] + box[3]) / 2 - y)) <= strides[n] / 2
            iou[n] = by_hand(boxes[n], box, "iou")
            if label >= 0 and (within or near):
                measure[n] = scores[n, int(label)] * max(iou[n], 0.01) ** 6
        best = sorted(range(points), key=lambda n: -measure[n])[:top]
        wanted.append([(measure[n], iou[n]) if n in best and measure[n] > 0 else None for n in range(points)])
    owner = {}
    for n in range(points):
        takers = [m for m in range(len(true_boxes)) if wanted[m][n]]
        if takers:
            owner[n] = max(takers, key=lambda m: wanted[m][n][1])
    target = np.zeros((points, classes))
    for n, m in owner.items():
        mine = [wanted[m][k] for k in owner if owner[k] == m]
        share = wanted[m][n][0] / max(measure for measure, _ in mine)
        target[n, int(labels[m])] = share * max(iou for _, iou in mine)
    return owner, target


@pytest.mark.parametrize("seed", range(6))
def test_assignment_is_that_of_a_loop(seed):
    random = np.random.default_rng(seed)
    places = anchors({"P3": (8, 8), "P4": (4, 4)}, 4.0)
    strides = places[:, 2] / 4.0
    true_boxes = random_boxes(random, 5)
    true_boxes[4] = 0
    labels = np.float32([0, 2, 1, 1, -1])
    boxes = decode(random.normal(0, 0.3, places.shape).astype(np.float32), places)
    scores = random.uniform(0.01, 0.99, (len(places), 3)).astype(np.float32)
    found = assign(scores[None], boxes[None], places[:, :2], strides, true_boxes[None], labels[None], top=4)
    owner, target = assigned_by_hand(
        scores.astype(float), boxes.astype(float), places[:, :2], strides, true_boxes.astype(float), labels, 4
    )
    assert sorted(owner) == np.flatnonzero(np.asarray(found.positive)[0]).tolist()
    np.testing.assert_allclose(np.asarray(found.scores)[0], target, atol=1e-4)
    for n, m in owner.items():
        np.testing.assert_allclose(np.asarray(found.boxes)[0, n], true_boxes[m], atol=1e-4)


def test_an_object_smaller_than_a_cell_is_learned_by_that_cell():
    places = anchors({"P3": (4, 4)}, 4.0)
    tiny = np.float32([[[1, 1, 3, 3]]])
    found = assign(np.full((1, 16, 1), 0.1, np.float32), decode(np.zeros((1, 16, 4), np.float32), places),
                   places[:, :2], places[:, 2] / 4, tiny, np.zeros((1, 1), np.float32))  # fmt: skip
    assert np.flatnonzero(np.asarray(found.positive)[0]).tolist() == [0]
