"""The loss of masks in boxes: goals against scipy, its value by hand, and what must not disturb it."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from scipy.ndimage import map_coordinates

from cnnpipe.boxes.anchors import anchors
from cnnpipe.losses.two_stage_masks import TwoStageMasks

IMAGE, MASKS, SIZE, CLASSES, REGIONS = (40, 48), 6, 4, 2, 9
PLACES = anchors({"P3": (5, 6)}, 3.0)


def loss(**options):
    return TwoStageMasks(PLACES.tolist(), REGIONS, CLASSES, (0.1, 0.1, 0.2, 0.2), MASKS, SIZE, IMAGE, **options)


def instances():
    mask = np.zeros(IMAGE, np.float32)
    mask[5:25, 4:20] = 1
    mask[18:34, 16:40] = 2
    mask[26:30, 20:30] = 0
    return mask


ROWS = np.float32([[4, 5, 20, 25, 1, 0], [16, 18, 40, 34, 0, 0], [0, 0, 0, 0, -1, 0]])
BOXES = np.float32([[4, 5, 20, 25], [15, 17, 41, 33], [-3, 2, 21, 26], [30, 2, 45, 12], [17, 18, 40, 36], [0, 0, 0, 0]])


def truth(rows=ROWS, mask=None):
    return np.concatenate([rows.ravel(), (instances() if mask is None else mask).ravel()])[None].astype(np.float32)


def said(seed=0):
    random = np.random.default_rng(seed)
    parts = [random.normal(0, 0.5, shape).astype(np.float32) for shape in loss().shapes()]
    parts[2][:, :4] = [5, 5, 20, 20]
    parts[-2] = np.concatenate([BOXES, np.zeros((MASKS, 1 + CLASSES), np.float32)], 1)
    return parts


def flat(parts):
    return np.concatenate([part.ravel() for part in parts])[None]


def goal(box, number):
    share = (np.arange(SIZE) + 0.5) / SIZE
    y, x = box[1] + (box[3] - box[1]) * share - 0.5, box[0] + (box[2] - box[0]) * share - 0.5
    seen = (instances() == number).astype(float)
    return map_coordinates(seen, np.meshgrid(y, x, indexing="ij"), order=1, mode="nearest") >= 0.5


def test_goals_are_the_masks_inside_of_the_boxes():
    found = np.asarray(loss().goals(instances(), tf.constant(BOXES), tf.constant([0, 1, 0, 1, 1, 0])))
    for row, number in enumerate([1, 2, 1, 2, 2, 1]):
        np.testing.assert_array_equal(found[row].reshape(SIZE, SIZE), goal(BOXES[row], number))
    assert 0 < found[1].mean() < 1


def test_the_value_is_the_mean_over_boxes_that_have_an_object():
    parts = said()
    without = float(loss(mask_weight=0.0)(truth(), flat(parts)))
    errors = []
    for row, number in ((0, 1), (1, 2), (2, 1), (4, 2)):
        probability = 1 / (1 + np.exp(-parts[-1][row].astype(float)))
        true = goal(BOXES[row], number).ravel()
        errors.append(-np.where(true, np.log(probability), np.log(1 - probability)).mean())
    assert float(loss(mask_weight=2.0)(truth(), flat(parts))) == pytest.approx(without + 2 * np.mean(errors), rel=1e-4)


@pytest.mark.parametrize("kind", ["nothing", "crowd"])
def test_images_without_an_object_teach_no_mask(kind):
    rows = ROWS.copy()
    rows[:, 4:] = [-1, 0] if kind == "nothing" else [0, 1]
    predicted = tf.Variable(flat(said()))
    with tf.GradientTape() as tape:
        value = loss()(truth(rows), predicted)
    gradient = np.asarray(tape.gradient(value, predicted))
    assert np.isfinite(float(value))
    assert np.isfinite(gradient).all()
    assert not gradient[:, -MASKS * SIZE**2 :].any()


def test_places_of_boxes_get_no_gradient():
    predicted = tf.Variable(flat(said()))
    with tf.GradientTape() as tape:
        value = loss()(truth(), predicted)
    gradient = np.asarray(tape.gradient(value, predicted))
    end = MASKS * SIZE**2
    assert gradient[:, -end:].any()
    assert not gradient[:, -end - MASKS * (5 + CLASSES) : -end].any()


def test_it_is_made_again_from_its_configuration():
    made = loss(mask_weight=3.0, box_weight=0.5)
    again = TwoStageMasks(**made.get_config())
    assert float(again(truth(), flat(said()))) == float(made(truth(), flat(said())))
