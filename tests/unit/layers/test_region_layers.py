"""Layers of two-stage detectors against loops and scipy, saved and opened again without cnnpipe's help."""

from __future__ import annotations

import warnings

import keras
import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from cnnpipe.boxes.anchors import anchors, decode, encode
from cnnpipe.boxes.overlaps import overlap
from cnnpipe.layers.aligned_regions import aligned_regions
from cnnpipe.layers.distinct_boxes import distinct_boxes
from cnnpipe.layers.proposed_boxes import proposed_boxes
from cnnpipe.layers.refined_boxes import refined_boxes
from cnnpipe.layers.side_by_side import side_by_side

LEVELS, IMAGE = {"P2": (10, 14), "P3": (5, 7), "P4": (3, 4)}, (40, 56)
CELLS, STRIDES, RATIOS = list(LEVELS.values()), [4, 8, 16], (0.5, 1.0, 2.0)
SCALES = (0.1, 0.1, 0.2, 0.2)
PLACES = anchors(LEVELS, 3.0, RATIOS)


def random_boxes(random, *shape, most=40.0):
    low = random.uniform(0, 40, (*shape, 2))
    return np.concatenate([low, low + random.uniform(1, most, (*shape, 2))], -1).astype(np.float32)


# ── proposals ────────────────────────────────────────────────────────────────────────────────────────────────────────


def proposed(objectness, numbers, count):
    layer = proposed_boxes(CELLS, STRIDES, 3.0, RATIOS, SCALES, IMAGE, count)
    return np.asarray(layer([objectness, numbers]))


def test_every_anchor_is_where_the_list_of_anchors_says():
    objectness = np.random.default_rng(0).permutation(len(PLACES)).astype(np.float32)[None, :, None]
    found = proposed(objectness, np.zeros((1, len(PLACES), 4), np.float32), len(PLACES))
    order = np.argsort(-objectness[0, :, 0])
    expected = np.clip(decode(np.zeros((len(PLACES), 4), np.float32), PLACES), 0, (56, 40, 56, 40))
    np.testing.assert_allclose(found[0, :, :4], expected[order], atol=1e-4)
    np.testing.assert_allclose(found[0, :, 4], objectness[0, order, 0])


def test_boxes_that_are_encoded_are_proposed_again():
    random = np.random.default_rng(1)
    boxes = np.clip(random_boxes(random, 2, len(PLACES), most=16), 0, (56, 40, 56, 40)) + np.float32([0, 0, 0.0, 0.0])
    objectness = random.normal(size=(2, len(PLACES), 1)).astype(np.float32)
    usable = (boxes[..., 2:] - boxes[..., :2]).min(-1) >= 1.0
    numbers = encode(np.where(usable[..., None], boxes, np.float32([0, 0, 9, 9])), PLACES) / np.float32(SCALES)
    found = proposed(objectness, numbers, 50)
    for row in range(2):
        order = np.argsort(-objectness[row, :, 0])[:50]
        expected = np.where(usable[row][:, None], boxes[row], np.float32([0, 0, 9, 9]))[order]
        np.testing.assert_allclose(found[row, :, :4], expected, atol=1e-3)


def test_boxes_outside_of_the_image_come_last():
    numbers = np.zeros((1, len(PLACES), 4), np.float32)
    numbers[0, 7, 1] = 1000.0
    objectness = np.zeros((1, len(PLACES), 1), np.float32)
    objectness[0, 7] = 5.0
    found = proposed(objectness, numbers, 10)
    assert found[0, 0, 4] == -1e4  # picked as the best, and then put behind all others by distinct_boxes
    assert np.asarray(distinct_boxes(10, 5, 1, 3, 0.7)(found))[0, :, 4].tolist() == [0, 0, 0]


# ── non-maximum suppression ──────────────────────────────────────────────────────────────────────────────────────────


def suppressed(rows, count, threshold):
    """One box after the other: those kept first, then the others, each from the best down."""
    order = np.argsort(-rows[:, 4:].max(1), kind="stable")
    kept = []
    for box in order:
        if all(overlap(rows[box, :4], rows[other, :4]) <= threshold for other in kept):
            kept.append(box)
    return rows[(kept + [box for box in order if box not in kept])[:count]]


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("scores", [1, 3])
def test_distinct_boxes_are_those_of_a_loop(threshold, scores):
    random = np.random.default_rng(2)
    rows = np.concatenate([random_boxes(random, 2, 120), random.uniform(size=(2, 120, scores))], -1).astype("float32")
    found = np.asarray(distinct_boxes(120, 4 + scores, scores, 100, threshold)(rows))
    for row in range(2):
        np.testing.assert_array_equal(found[row], suppressed(rows[row], 100, threshold))


def test_equal_boxes_leave_the_best_of_them():
    rows = np.tile(np.float32([0, 0, 10, 10, 0.5]), (1, 30, 1))
    rows[0, 17, 4] = 0.9
    rows[0, 3] = [20, 20, 30, 30, 0.1]
    found = np.asarray(distinct_boxes(30, 5, 1, 3, 0.7)(rows))
    np.testing.assert_allclose(found[0, :, 4], [0.9, 0.1, 0.5])


# ── RoIAlign ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def aligned(boxes, maps, strides, size, samples):
    """Point by point with scipy."""
    found = np.zeros((len(boxes), size, size, maps[0].shape[-1]))
    for number, (left, top, right, bottom) in enumerate(boxes):
        side = np.sqrt((right - left) * (bottom - top))
        exact = np.floor(4 + np.log2(side / 224))
        level = int(np.clip(exact - np.log2(strides[0]), 0, len(maps) - 1))
        share = (np.arange(size * samples) + 0.5) / (size * samples)
        y = (top + (bottom - top) * share) / strides[level] - 0.5
        x = (left + (right - left) * share) / strides[level] - 0.5
        for channel in range(maps[level].shape[-1]):
            at = np.meshgrid(y, x, indexing="ij")
            values = map_coordinates(maps[level][..., channel], at, order=1, mode="nearest")
            found[number, ..., channel] = values.reshape(size, samples, size, samples).mean((1, 3))
    return found


@pytest.mark.parametrize(("size", "samples"), [(3, 2), (4, 1), (2, 3)])
def test_aligned_regions_are_those_of_scipy(size, samples):
    random = np.random.default_rng(3)
    maps = [random.normal(size=(2, *cells, 3)).astype(np.float32) for cells in ((40, 50), (20, 25), (10, 13))]
    low = random.uniform(-20, 150, (2, 20, 2))
    boxes = np.concatenate(
        [low, low + 2 ** random.uniform(1, 8, (2, 20, 1)) * random.uniform(0.7, 1.4, (2, 20, 2))], -1
    )
    boxes = np.concatenate([boxes, random.normal(size=(2, 20, 1))], -1).astype(np.float32)
    layer = aligned_regions(20, 5, [m.shape[1:] for m in maps], [4, 8, 16], size, samples)
    found = np.asarray(layer([boxes, *maps]))
    for row in range(2):
        expected = aligned(boxes[row, :, :4], [m[row] for m in maps], [4, 8, 16], size, samples)
        np.testing.assert_allclose(found[row], expected, atol=2e-4)


def test_large_boxes_are_read_from_coarse_maps():
    maps = [np.full((1, 2**number, 2**number, 1), 6 - number, np.float32) for number in (5, 4, 3)]
    boxes = np.float32([[[0, 0, side, side] for side in (20, 111, 113, 223, 225, 900)]])
    layer = aligned_regions(6, 4, [m.shape[1:] for m in maps], [8, 16, 32], 2)
    assert np.asarray(layer([boxes, *maps]))[0, :, 0, 0, 0].tolist() == [1, 1, 1, 1, 2, 3]


def test_maps_learn_and_boxes_do_not():
    import tensorflow as tf

    maps, boxes = tf.Variable(np.ones((1, 8, 8, 2), np.float32)), tf.Variable(np.float32([[[8, 8, 40, 40]]]))
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(aligned_regions(1, 4, [(8, 8, 2)], [8], 4)([boxes, maps]))
    of_maps, of_boxes = tape.gradient(value, [maps, boxes])
    assert float(tf.reduce_sum(of_maps)) == pytest.approx(32)
    assert of_boxes is None


# ── the rest ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_refined_boxes_undo_encode():
    random = np.random.default_rng(4)
    boxes, goals = random_boxes(random, 2, 9), random_boxes(random, 2, 9, most=16)
    places = np.concatenate([(boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]], -1)
    numbers = (encode(goals, places) / np.float32(SCALES)).astype(np.float32)
    found = refined_boxes(9, 4, SCALES, (200, 200))([boxes, numbers])
    np.testing.assert_allclose(found, goals, atol=1e-3)
    inside = np.asarray(refined_boxes(9, 4, SCALES, (30, 20))([boxes, numbers]))
    np.testing.assert_allclose(inside, np.clip(goals, 0, (20, 30, 20, 30)), atol=1e-3)


def test_side_by_side_keeps_every_value_in_float32():
    first, second = np.arange(12, dtype=np.float16).reshape(2, 3, 2), np.full((2, 1), 7, np.float32)
    found = side_by_side([(3, 2), (1,)])([first, second])
    assert np.asarray(found).tolist() == [[0, 1, 2, 3, 4, 5, 7], [6, 7, 8, 9, 10, 11, 7]]
    assert keras.backend.standardize_dtype(found.dtype) == "float32"


def test_models_with_them_open_in_plain_keras(tmp_path):
    inputs = keras.Input((9, 6)), keras.Input((4, 4, 2))
    distinct = distinct_boxes(9, 6, 2, 5, 0.5)(inputs[0])
    model = keras.Model(inputs, aligned_regions(5, 6, [(4, 4, 2)], [8], 2)([distinct, inputs[1]]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # such as of tensors that would be kept as constants
        model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    random = np.random.default_rng(5)
    given = [random_boxes(random, 1, 9), random.normal(size=(1, 4, 4, 2)).astype(np.float32)]
    given[0] = np.concatenate([given[0], random.uniform(size=(1, 9, 2)).astype(np.float32)], -1)
    np.testing.assert_array_equal(again(given), model(given))
