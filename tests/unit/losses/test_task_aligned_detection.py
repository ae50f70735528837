"""The loss of detectors: its value by hand, and what must not disturb it."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from cnnpipe.boxes.anchors import anchors, decode, encode
from cnnpipe.boxes.assignment import assign
from cnnpipe.boxes.overlaps import overlap
from cnnpipe.losses.task_aligned_detection import TaskAlignedDetection

PLACES = anchors({"P3": (4, 4), "P4": (2, 2)}, 4.0)
COUNT, CLASSES = len(PLACES), 3


def loss(**options):
    return TaskAlignedDetection(PLACES.tolist(), 4.0, **options)


def truth(*images, most=3):
    """Rows of (left, top, right, bottom, class, crowd), padded as the task does it."""
    found = np.zeros((len(images), most, 6), np.float32)
    found[..., 4] = -1
    for row, objects in enumerate(images):
        found[row, : len(objects)] = objects or np.zeros((0, 6))
    return found


def predictions(batch, seed=0):
    random = np.random.default_rng(seed)
    return random.normal(0, 0.5, (batch, COUNT, 4 + CLASSES)).astype(np.float32)


def value_and_gradient(function, true, said):
    said = tf.Variable(said)
    with tf.GradientTape() as tape:
        value = function(true, said)
    return float(value), np.asarray(tape.gradient(value, said))


@pytest.mark.parametrize("kind", ["crossentropy", "varifocal"])
@pytest.mark.parametrize("box_loss", ["iou", "giou", "diou", "ciou"])
def test_batches_without_any_object_have_a_finite_loss_and_gradient(kind, box_loss):
    value, gradient = value_and_gradient(
        loss(classification_loss=kind, box_loss=box_loss), truth([], []), predictions(2)
    )
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()
    assert not gradient[..., :4].any()


@pytest.mark.parametrize("box_loss", ["iou", "giou", "diou", "ciou"])
def test_padding_changes_nothing(box_loss):
    objects = [[2, 3, 20, 25, 1, 0], [10, 10, 30, 30, 2, 0]]
    short, long = truth(objects, [], most=2), truth(objects, [], most=9)
    found = [value_and_gradient(loss(box_loss=box_loss), true, predictions(2)) for true in (short, long)]
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-6)
    np.testing.assert_allclose(found[0][1], found[1][1], atol=1e-6)
    assert np.isfinite(found[1][1]).all()


def test_the_value_is_what_the_parts_say():
    true, said = truth([[2, 3, 20, 25, 1, 0]], [[4, 4, 12, 12, 0, 0], [10, 10, 30, 30, 2, 0]]), predictions(2)
    boxes, logits = decode(said[..., :4], PLACES), said[..., 4:].astype(float)
    probabilities = 1 / (1 + np.exp(-logits))
    given = assign(
        probabilities.astype(np.float32), boxes, PLACES[:, :2], PLACES[:, 2] / 4, true[..., :4], true[..., 4]
    )
    target, goals = np.asarray(given.scores), np.asarray(given.boxes)
    entropy = -(target * np.log(probabilities) + (1 - target) * np.log(1 - probabilities)).sum()
    weights = target.sum(-1)
    boxes_loss = ((1 - overlap(boxes, goals, "giou")) * weights).sum()
    expected = (2 * entropy + 3 * boxes_loss) / max(weights.sum(), 1)
    found = loss(box_loss="giou", classification_weight=2, box_weight=3)(true, said)
    assert float(found) == pytest.approx(expected, rel=1e-4)


def test_the_right_answer_costs_less_than_any_other():
    true = truth([[2, 3, 20, 25, 1, 0]])
    said = np.zeros((1, COUNT, 4 + CLASSES), np.float32)
    said[..., 4:] = -6
    wrong = said.copy()
    inside = np.flatnonzero(((PLACES[:, :2] > true[0, 0, :2]) & (PLACES[:, :2] < true[0, 0, 2:4])).all(1))
    said[0, inside, :4] = encode(np.broadcast_to(true[0, 0, :4], (len(inside), 4)), PLACES[inside])
    said[0, inside, 5] = 6
    assert float(loss()(true, said)) < 0.1 < float(loss()(true, wrong))


def test_nothing_is_learned_in_a_crowd():
    crowd, nothing = truth([[0, 0, 32, 32, 0, 1]]), truth([])
    _, gradient = value_and_gradient(loss(), crowd, predictions(1))
    assert not gradient.any()
    assert value_and_gradient(loss(), nothing, predictions(1))[1].any()


def test_it_is_made_again_from_its_configuration():
    made = loss(box_loss="giou", box_weight=5.0, classification_loss="varifocal")
    again = TaskAlignedDetection(**made.get_config())
    true, said = truth([[2, 3, 20, 25, 1, 0]]), predictions(1)
    assert float(again(true, said)) == float(made(true, said))
    assert isinstance(made, keras.losses.Loss)


def test_hundreds_of_objects_fit_into_memory_and_are_learned():
    random = np.random.default_rng(3)
    places = anchors({"P3": (32, 32), "P4": (16, 16)}, 4.0)
    corners = random.uniform(0, 240, (1, 375, 2)).astype(np.float32)
    boxes = np.concatenate([corners, corners + 12], -1)
    true = np.concatenate([boxes, np.zeros((1, 375, 2), np.float32)], -1)
    said = random.normal(0, 0.1, (1, len(places), 5)).astype(np.float32)
    value, gradient = value_and_gradient(TaskAlignedDetection(places.tolist(), 4.0), true, said)
    assert np.isfinite(value)
    assert (np.abs(gradient[..., :4]).sum(-1) > 0).sum() > 300
