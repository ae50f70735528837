"""The loss of pixels against plain loops."""

from __future__ import annotations

import math

import keras
import numpy as np
import pytest

from cnnpipe.losses.segmentation_loss import IGNORED, SegmentationLoss

WEIGHTS = (0.5, 1.0, 3.0)


def batch(seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = random.integers(0, 3, (2, 4, 5, 1)).astype(np.uint8)
    truth[random.random(truth.shape) < 0.25] = IGNORED
    said = random.random((2, 4, 5, 3)).astype(np.float32) + 0.05
    return truth, said / said.sum(-1, keepdims=True)


def value(loss: SegmentationLoss, truth: np.ndarray, said: np.ndarray) -> float:
    return float(keras.ops.convert_to_numpy(loss(truth, said)))


def by_hand(truth: np.ndarray, said: np.ndarray, gamma: float, weights: tuple[float, ...]) -> float:
    total, count = 0.0, 0
    for here, probabilities in zip(truth.ravel(), said.reshape(-1, 3), strict=True):
        if here != IGNORED:
            right = float(probabilities[here])
            total += -math.log(right) * (1 - right) ** gamma * weights[here]
            count += 1
    return total / count


@pytest.mark.parametrize("gamma", [0.0, 2.0])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_cross_entropy_is_the_mean_of_the_pixels_that_count(gamma: float, weights: tuple[float, ...] | None) -> None:
    truth, said = batch(0)
    found = value(SegmentationLoss(gamma=gamma, class_weights=weights), truth, said)
    assert found == pytest.approx(by_hand(truth, said, gamma, weights or (1, 1, 1)), rel=1e-5)


def test_dice_is_the_mean_of_the_classes_that_are_shown() -> None:
    truth, said = batch(1)
    truth[truth == 1] = 0
    each = []
    for number in (0, 2):
        counted = truth[..., 0] != IGNORED
        true = (truth[..., 0] == number) & counted
        probability = said[..., number] * counted
        each.append(1 - 2 * (probability * true).sum() / (probability.sum() + true.sum()))
    assert value(SegmentationLoss(0, 1), truth, said) == pytest.approx(np.mean(each), rel=1e-5)
    both = value(SegmentationLoss(1, 1), truth, said)
    assert both == pytest.approx(np.mean(each) + by_hand(truth, said, 0, (1, 1, 1)), rel=1e-5)


def test_a_batch_of_which_nobody_knows_anything_costs_nothing() -> None:
    truth, said = batch(0)
    assert value(SegmentationLoss(1, 1), np.full_like(truth, IGNORED), said) == 0


def test_what_is_ignored_changes_nothing() -> None:
    truth, said = batch(2)
    other = np.where(truth == IGNORED, 1 - said, said)
    loss = SegmentationLoss(1, 1, 2.0, WEIGHTS)
    assert value(loss, truth, other) == pytest.approx(value(loss, truth, said), rel=1e-6)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_a_certain_answer_has_a_slope(gamma: float) -> None:
    import tensorflow as tf

    truth = np.array([0, 1, IGNORED, 0], np.uint8).reshape(1, 2, 2, 1)
    said = tf.Variable(np.array([[1, 0], [0, 1], [1, 0], [0, 1]], np.float32).reshape(1, 2, 2, 2))
    with tf.GradientTape() as tape:
        loss = SegmentationLoss(1, 1, gamma)(truth, said)
    assert np.isfinite(tape.gradient(loss, said).numpy()).all()


def test_its_config_makes_it_again() -> None:
    loss = SegmentationLoss(0.5, 2, 1.5, WEIGHTS, 7, "mine")
    assert SegmentationLoss.from_config(loss.get_config()).get_config() == loss.get_config()
