"""The loss of two-stage detectors: its value by a loop over random samples, and what must not disturb it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf

from cnnpipe.boxes.anchors import anchors, decode, encode
from cnnpipe.boxes.overlaps import overlap
from cnnpipe.losses.two_stage_detection import TwoStageDetection

PLACES = anchors({"P3": (6, 6), "P4": (3, 3)}, 3.0, (0.5, 1.0, 2.0))
COUNT, REGIONS, CLASSES = len(PLACES), 12, 3
SCALES = (0.1, 0.1, 0.2, 0.2)
OBJECTS = [[2, 3, 24, 27, 1, 0], [20, 10, 44, 30, 2, 0]]


def loss(**options):
    return TwoStageDetection(PLACES.tolist(), REGIONS, CLASSES, SCALES, **options)


def truth(*images, most=3):
    found = np.zeros((len(images), most, 6), np.float32)
    found[..., 4] = -1
    for row, objects in enumerate(images):
        found[row, : len(objects)] = objects or np.zeros((0, 6))
    return found


def said(batch=1, seed=0):
    """Predictions, apart: objectness, moves, proposals, logits, refinements."""
    random = np.random.default_rng(seed)
    proposals = np.zeros((batch, REGIONS, 5))
    low = random.uniform(0, 20, (batch, REGIONS, 2))
    proposals[..., :4] = np.concatenate([low, low + random.uniform(15, 25, (batch, REGIONS, 2))], -1)
    shapes = [(COUNT, 1), (COUNT, 4), None, (REGIONS, CLASSES + 1), (REGIONS, 4)]
    return [(proposals if s is None else random.normal(0, 0.7, (batch, *s))).astype(np.float32) for s in shapes]


def flat(parts):
    return np.concatenate([part.reshape(len(part), -1) for part in parts], 1)


def value_and_gradient(function, true, predicted):
    predicted = tf.Variable(predicted)
    with tf.GradientTape() as tape:
        value = function(true, predicted)
    return float(value), np.asarray(tape.gradient(value, predicted))


def smooth(error):
    error = abs(error)
    return 0.5 * error**2 if error < 1 else error - 0.5


def stage(boxes, places, objects, high, low, best, cost, numbers, count, share):
    """One stage of one image by loops, with the mean over all samples written as shares."""
    table = np.array([[overlap(np.float32(box), np.float32(thing[:4])) for thing in objects] for box in boxes])
    kinds = []
    for row in range(len(boxes)):
        column = int(table[row].argmax())
        favourite = [
            k for k in range(len(objects)) if best and table[row, k] > 0 and table[row, k] >= table[:, k].max()
        ]
        if table[row, column] >= high:
            kinds.append(column)
        elif favourite:
            kinds.append(max(favourite, key=lambda k: table[row, k]))
        else:
            kinds.append(-1 if table[row].max() < low else None)
    positive, negative = sum(k is not None and k >= 0 for k in kinds), sum(k == -1 for k in kinds)
    taken = min(positive, count * share)
    rest, total = min(negative, count - taken), 0.0
    for row, kind in enumerate(kinds):
        if kind is None:
            continue
        weight = taken / positive if kind >= 0 else rest / negative
        total += weight * cost(row, None if kind < 0 else objects[kind])
        if kind >= 0:
            goal = encode(np.float32(objects[kind][:4]), places[row]) / np.float32(SCALES)
            total += weight * sum(smooth(a - b) for a, b in zip(numbers[row], goal, strict=True))
    return total / max(taken + rest, 1), positive


def test_the_value_is_that_of_loops():
    parts = said()
    objectness, moves, proposals, logits, refinements = (part[0].astype(float) for part in parts)
    corners = decode(np.zeros((COUNT, 4)), PLACES.astype(float))
    middles = np.concatenate([(proposals[:, :2] + proposals[:, 2:4]) / 2, proposals[:, 2:4] - proposals[:, :2]], -1)

    def shows(row, thing):
        return math.log1p(math.exp(-objectness[row, 0] if thing else objectness[row, 0]))

    def says(row, thing):
        return math.log(np.exp(logits[row]).sum()) - logits[row, thing[4] if thing else CLASSES]

    first, anchors_used = stage(corners, PLACES, OBJECTS, 0.7, 0.3, True, shows, moves, 256, 0.5)
    second, regions_used = stage(proposals[:, :4], middles, OBJECTS, 0.5, 0.5, False, says, refinements, REGIONS, 0.25)
    assert anchors_used > 1
    assert regions_used > 3
    assert float(loss()(truth(OBJECTS), flat(parts))) == pytest.approx(first + second, rel=1e-4)


def test_batches_without_any_object_have_a_finite_loss_and_only_learn_that_there_is_none():
    value, gradient = value_and_gradient(loss(), truth([], []), flat(said(2)))
    objectness, moves, _, logits, refinements = np.split(
        gradient, np.cumsum([COUNT, COUNT * 4, REGIONS * 5, REGIONS * (CLASSES + 1)]), 1
    )
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()
    assert objectness.any()
    assert logits.any()
    assert not moves.any()
    assert not refinements.any()


def test_places_of_proposals_get_no_gradient():
    _, gradient = value_and_gradient(loss(), truth(OBJECTS, OBJECTS[:1]), flat(said(2)))
    assert not gradient[:, COUNT * 5 : COUNT * 5 + REGIONS * 5].any()
    assert gradient[:, COUNT * 5 + REGIONS * 5 :].any()


def test_padding_and_other_images_change_nothing():
    parts = flat(said(2))
    alone = float(loss()(truth(OBJECTS), parts[:1]))
    both = np.asarray(loss().call(truth(OBJECTS, [], most=9), parts))
    assert both[0] == pytest.approx(alone, rel=1e-6)


def test_nothing_is_learned_in_a_crowd():
    crowd = truth([[-60, -60, 120, 120, 0, 1]])
    assert not value_and_gradient(loss(), crowd, flat(said()))[1].any()
    assert value_and_gradient(loss(), truth([]), flat(said()))[1].any()


def test_box_weight_counts_boxes_only():
    parts = flat(said())
    values = [float(loss(box_weight=weight)(truth(OBJECTS), parts)) for weight in (0.0, 1.0, 3.0)]
    assert values[2] - values[0] == pytest.approx(3 * (values[1] - values[0]), rel=1e-4)
    empty = [float(loss(box_weight=weight)(truth([]), parts)) for weight in (0.0, 3.0)]
    assert empty[0] == empty[1]


def test_it_is_made_again_from_its_configuration():
    made = loss(box_weight=2.0)
    again = TwoStageDetection(**made.get_config())
    assert float(again(truth(OBJECTS), flat(said()))) == float(made(truth(OBJECTS), flat(said())))


def test_hundreds_of_objects_are_learned():
    places = anchors({"P2": (32, 32), "P3": (16, 16)}, 3.0, (1.0,))
    made = TwoStageDetection(places.tolist(), 400, 1, SCALES)
    random = np.random.default_rng(3)
    corners = random.uniform(0, 118, (1, 375, 2)).astype(np.float32)
    true = np.concatenate([corners, corners + 10, np.zeros((1, 375, 2), np.float32)], -1)
    proposals = np.concatenate([true[..., :4] + 1, np.zeros((1, 375, 1), np.float32)], -1)
    proposals = np.concatenate([proposals, np.zeros((1, 25, 5), np.float32)], 1)
    parts = [np.zeros((1, rows, columns), np.float32) for rows, columns in made.shapes()]
    parts[2] = proposals
    value, gradient = value_and_gradient(made, true, flat(parts))
    assert np.isfinite(value)
    assert (np.abs(gradient[0, -400 * 4 :].reshape(400, 4)).sum(-1) > 0).sum() == 375
