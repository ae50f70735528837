"""The losses of classification: Keras's own, for indices and shares, and weighted as `fit` weighs classes."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from cnnpipe.losses.weighted_binary_crossentropy import WeightedBinaryCrossentropy
from cnnpipe.losses.weighted_categorical_crossentropy import WeightedCategoricalCrossentropy
from cnnpipe.metrics.agreement import class_agreement, decision_agreement

RANDOM = np.random.default_rng(0)
INDICES = RANDOM.integers(0, 4, 32).astype(np.int32)
PROBABILITIES = RANDOM.dirichlet(np.ones(4), 32).astype(np.float32)
ONE_HOT = np.eye(4, dtype=np.float32)[INDICES]
MIXED = (0.7 * ONE_HOT + 0.3 * ONE_HOT[::-1]).astype(np.float32)
DECISIONS = RANDOM.integers(0, 2, (32, 3)).astype(np.float32)
YES = RANDOM.uniform(0.01, 0.99, (32, 3)).astype(np.float32)
WEIGHTS = (1.0, 2.0, 0.5, 3.0)


def test_plain_indices_are_the_sparse_loss_to_the_bit() -> None:
    wanted = keras.losses.SparseCategoricalCrossentropy()(INDICES, PROBABILITIES)
    assert float(WeightedCategoricalCrossentropy()(INDICES, PROBABILITIES)) == float(wanted)
    column = WeightedCategoricalCrossentropy()(INDICES[:, None], PROBABILITIES)
    assert float(column) == float(wanted)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("focal", [False, True])
def test_shares_and_indices_are_the_losses_of_keras(smoothing: float, focal: bool) -> None:
    if focal:
        ours = WeightedCategoricalCrossentropy(None, smoothing, 1.5, 0.4)
        keras_loss = keras.losses.CategoricalFocalCrossentropy(0.4, 1.5, label_smoothing=smoothing)
    else:
        ours = WeightedCategoricalCrossentropy(None, smoothing)
        keras_loss = keras.losses.CategoricalCrossentropy(label_smoothing=smoothing)
    assert float(ours(INDICES, PROBABILITIES)) == pytest.approx(float(keras_loss(ONE_HOT, PROBABILITIES)), rel=1e-6)
    assert float(ours(MIXED, PROBABILITIES)) == pytest.approx(float(keras_loss(MIXED, PROBABILITIES)), rel=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("balancing", [None, False, True])
def test_decisions_are_the_losses_of_keras(smoothing: float, balancing: bool | None) -> None:
    if balancing is None:
        ours, keras_loss = (
            WeightedBinaryCrossentropy(label_smoothing=smoothing),
            keras.losses.BinaryCrossentropy(label_smoothing=smoothing),
        )
    else:
        ours = WeightedBinaryCrossentropy(None, None, smoothing, 1.5, 0.4, balancing)
        keras_loss = keras.losses.BinaryFocalCrossentropy(balancing, 0.4, 1.5, label_smoothing=smoothing)
    assert float(ours(DECISIONS, YES)) == float(keras_loss(DECISIONS, YES))


def weights_after_fit(model: keras.Model, loss: Any, x: Any, y: Any, class_weight: Any = None) -> np.ndarray:
    model.set_weights([np.full(w.shape, 0.1, np.float32) for w in model.get_weights()])
    model.compile(keras.optimizers.SGD(0.5), loss=loss)
    model.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0, class_weight=class_weight)
    return np.concatenate([weight.ravel() for weight in model.get_weights()])


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_class_weights_are_those_of_fit(smoothing: float) -> None:
    x = RANDOM.normal(size=(32, 5)).astype(np.float32)
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(4, activation="softmax")])
    keras_loss = keras.losses.CategoricalCrossentropy(label_smoothing=smoothing)
    wanted = weights_after_fit(model, keras_loss, x, ONE_HOT, dict(enumerate(WEIGHTS)))
    found = weights_after_fit(model, WeightedCategoricalCrossentropy(WEIGHTS, smoothing), x, INDICES)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    unweighted = weights_after_fit(model, WeightedCategoricalCrossentropy(None, smoothing), x, INDICES)
    assert np.abs(unweighted - wanted).max() > 0.01


def test_weights_of_two_classes_are_those_of_fit() -> None:
    x = RANDOM.normal(size=(32, 5)).astype(np.float32)
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(1, activation="sigmoid")])
    y = DECISIONS[:, :1]
    wanted = weights_after_fit(model, "binary_crossentropy", x, y, {0: 0.5, 1: 3.0})
    found = weights_after_fit(model, WeightedBinaryCrossentropy((3.0,), (0.5,)), x, y)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_weights_of_mixed_classes_are_the_mean_by_share() -> None:
    each = keras.losses.categorical_crossentropy(MIXED, PROBABILITIES)
    wanted = np.mean(each.numpy() * (MIXED @ np.array(WEIGHTS)))
    assert float(WeightedCategoricalCrossentropy(WEIGHTS)(MIXED, PROBABILITIES)) == pytest.approx(wanted, rel=1e-5)


def test_weights_of_labels_count_where_the_label_is_given() -> None:
    weights = np.array([2.0, 1.0, 5.0])
    each = keras.losses.binary_crossentropy(DECISIONS[..., None], YES[..., None]).numpy()
    wanted = (each * np.where(DECISIONS == 1, weights, 1)).mean()
    assert float(WeightedBinaryCrossentropy(weights)(DECISIONS, YES)) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize(
    "loss",
    [
        WeightedCategoricalCrossentropy(WEIGHTS, 0.1, 2.0, 0.3),
        WeightedBinaryCrossentropy((1.0,), (2.0,), 0.1, 2.0, 0.3, True),
    ],
)
def test_a_loss_is_made_again_from_its_settings(loss: Any) -> None:
    again = type(loss).from_config(loss.get_config())
    assert again.get_config() == loss.get_config() and len(loss.get_config()) >= 5


def test_agreement_with_mixed_labels_is_that_with_the_larger_share() -> None:
    sparse = keras.metrics.sparse_categorical_accuracy(INDICES, PROBABILITIES)
    assert np.array_equal(class_agreement(tf.constant(INDICES), tf.constant(PROBABILITIES)), sparse)
    assert np.array_equal(class_agreement(tf.constant(MIXED), tf.constant(PROBABILITIES)), sparse)


def test_agreement_in_decisions_takes_shares_above_the_threshold_for_yes() -> None:
    plain = keras.metrics.binary_accuracy(DECISIONS, YES)
    mixed = tf.constant(0.8 * DECISIONS + 0.1)
    assert np.array_equal(decision_agreement(tf.constant(DECISIONS), tf.constant(YES), 0.5), plain)
    assert np.array_equal(decision_agreement(mixed, tf.constant(YES), 0.5), plain)
