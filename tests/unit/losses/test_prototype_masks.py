"""The loss of masks made of prototypes: its value by hand, and what must not disturb it."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from cnnpipe.boxes.anchors import anchors, decode
from cnnpipe.boxes.assignment import assign
from cnnpipe.losses.prototype_masks import PrototypeMasks
from cnnpipe.losses.task_aligned_detection import TaskAlignedDetection

PLACES = anchors({"P3": (4, 5)}, 4.0)
IMAGE, PROTOTYPES, STRIDE, CLASSES = (30, 38), (8, 10, 3), 4, 2
VALUES = 4 + CLASSES + PROTOTYPES[2]


def loss(**options):
    return PrototypeMasks(PLACES.tolist(), CLASSES, IMAGE, PROTOTYPES, STRIDE, scale=4.0, **options)


def truth(*images, most=3):
    """For each image rows of (left, top, right, bottom, class, crowd); the masks fill the boxes."""
    rows, masks = np.zeros((len(images), most, 6), np.float32), np.zeros((len(images), *IMAGE), np.float32)
    rows[..., 4] = -1
    for number, objects in enumerate(images):
        for row, (left, top, right, bottom, label, crowd) in enumerate(objects):
            rows[number, row] = left, top, right, bottom, label, crowd
            masks[number, top:bottom, left:right] = row + 1
    return np.concatenate([rows.reshape(len(images), -1), masks.reshape(len(images), -1)], 1)


def predictions(batch, seed=0):
    count = len(PLACES) * VALUES + np.prod(PROTOTYPES)
    return np.random.default_rng(seed).normal(0, 0.5, (batch, count)).astype(np.float32)


def value_and_gradient(function, true, said):
    said = tf.Variable(said)
    with tf.GradientTape() as tape:
        value = tf.reduce_mean(function(true, said))
    gradient = np.asarray(tape.gradient(value, said))
    rows = gradient[:, : len(PLACES) * VALUES].reshape(-1, len(PLACES), VALUES)
    return float(value), rows, gradient[:, len(PLACES) * VALUES :]


def without_masks(true, said):
    """What boxes and scores alone cost."""
    rows = true[:, : -IMAGE[0] * IMAGE[1]].reshape(len(true), -1, 6)
    parts = said[:, : len(PLACES) * VALUES].reshape(-1, len(PLACES), VALUES)
    return float(TaskAlignedDetection(PLACES.tolist(), 4.0)(rows, parts[..., : 4 + CLASSES]))


def test_batches_without_any_object_have_a_finite_loss_that_masks_add_nothing_to():
    true, said = truth([], []), predictions(2)
    value, rows, prototypes = value_and_gradient(loss(), true, said)
    assert value == pytest.approx(without_masks(true, said), rel=1e-6)
    assert np.isfinite(rows).all()
    assert not rows[..., 4 + CLASSES :].any()
    assert not prototypes.any()


def by_hand(true, said):
    """The mean loss of the masks of all anchors that learn an object, pixel after pixel."""
    found = []
    for image in range(len(true)):
        objects, mask = true[image, : -IMAGE[0] * IMAGE[1]].reshape(1, -1, 6), true[image, -IMAGE[0] * IMAGE[1] :]
        mask = mask.reshape(IMAGE)
        rows = said[image, : len(PLACES) * VALUES].reshape(1, len(PLACES), VALUES)
        maps = said[image, len(PLACES) * VALUES :].reshape(PROTOTYPES)
        given = assign(
            1 / (1 + np.exp(-rows[..., 4 : 4 + CLASSES])), decode(rows[..., :4], PLACES), PLACES[:, :2],
            PLACES[:, 2] / 4, objects[..., :4], objects[..., 4],
        )  # fmt: skip
        for anchor in np.flatnonzero(np.asarray(given.positive)[0]):
            number = int(np.asarray(given.objects)[0, anchor])
            left, top, right, bottom = objects[0, number, :4]
            entropy, area, both, sums = 0.0, 0, 0.0, 0.0
            for y in range(PROTOTYPES[0]):
                for x in range(PROTOTYPES[1]):
                    part = mask[y * STRIDE : (y + 1) * STRIDE, x * STRIDE : (x + 1) * STRIDE]
                    share = (part == number + 1).sum() / STRIDE**2
                    across = (x + 2) * STRIDE > left and (x - 1) * STRIDE < right
                    if across and (y + 2) * STRIDE > top and (y - 1) * STRIDE < bottom:
                        p = 1 / (1 + np.exp(-float(maps[y, x] @ rows[0, anchor, 4 + CLASSES :])))
                        entropy -= share * np.log(p) + (1 - share) * np.log(1 - p)
                        area, both, sums = area + 1, both + share * p, sums + share + p
            found.append((entropy / area, 1 - (2 * both + 1) / (sums + 1)))
    return np.array(found)


def test_the_value_is_what_the_pixels_say():
    true = truth([(2, 3, 20, 25, 1, 0), (22, 4, 37, 11, 0, 0)], [(5, 5, 30, 29, 0, 0)])
    said = predictions(2)
    entropy, dice = by_hand(true, said).mean(0)
    found = value_and_gradient(loss(mask_weight=3.0, dice_weight=2.0), true, said)[0]
    assert found - without_masks(true, said) == pytest.approx(3 * entropy + 2 * dice, rel=1e-3)


def test_only_so_many_masks_of_an_image_are_compared():
    true, said = truth([(2, 3, 20, 25, 1, 0), (22, 4, 37, 25, 0, 0)]), predictions(1)
    _, rows, _ = value_and_gradient(loss(masks=4), true, said)
    assert (np.abs(rows[..., 4 + CLASSES :]).sum(-1) > 0).sum() == 4
    assert (np.abs(value_and_gradient(loss(), true, said)[1][..., 4 + CLASSES :]).sum(-1) > 0).sum() > 8


def test_no_mask_of_a_crowd_is_learned():
    _, rows, prototypes = value_and_gradient(loss(), truth([(0, 0, 38, 30, 1, 1)]), predictions(1))
    assert not rows.any()
    assert not prototypes.any()


def test_padding_changes_nothing():
    objects = [(2, 3, 20, 25, 1, 0), (10, 10, 30, 29, 0, 0)]
    short, long = (value_and_gradient(loss(), truth(objects, [], most=most), predictions(2)) for most in (2, 9))
    assert short[0] == pytest.approx(long[0], rel=1e-6)
    np.testing.assert_allclose(short[1], long[1], atol=1e-6)


def test_it_is_made_again_from_its_configuration():
    made = loss(masks=5, mask_weight=2.0, dice_weight=0.5, box_loss="giou")
    again = PrototypeMasks(**made.get_config())
    true, said = truth([(2, 3, 20, 25, 1, 0)]), predictions(1)
    assert float(again(true, said)) == float(made(true, said))
