"""The layers with rounding: ranges hold zero and follow the batches, kernels lie on a grid, gradients do not see it."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from cnnpipe.layers.fake_quantization import FakeQuantization
from cnnpipe.layers.fake_quantized_weights import FakeQuantizedConv2D, FakeQuantizedDepthwiseConv2D, fake_quantized


def layer(low, high, **options):
    made = FakeQuantization(**options)
    made(tf.zeros((1, 2)))
    made.minimum.assign(np.atleast_1d(low).astype("float32"))
    made.maximum.assign(np.atleast_1d(high).astype("float32"))
    return made


def test_values_are_rounded_to_256_steps_and_cut_off():
    values = np.linspace(-3, 3, 2001, dtype="float32")
    found = layer(-1, 1)(values).numpy()
    assert len(np.unique(found)) == 256 and 0.0 in found
    assert np.abs(found - np.clip(values, -1, 1)).max() < 2 / 255


@pytest.mark.parametrize(("low", "high"), [(0.5, 2.0), (-2.0, -0.5), (0.0, 0.0)])
def test_ranges_hold_zero(low, high):
    found = layer(low, high)(tf.constant([0.0, low, high])).numpy()
    assert found[0] == 0.0 and np.isfinite(found).all()


def test_a_range_follows_the_batches_in_training_only():
    made = layer(-1, 1, momentum=0.75)
    made(tf.constant([-3.0, 5.0]))
    assert made.minimum.numpy() == -1
    made(tf.constant([-3.0, 5.0]), training=True)
    assert (made.minimum.numpy(), made.maximum.numpy()) == ([-1.5], [2.0])
    assert not made.trainable_variables


def test_tensors_that_share_a_range_use_the_union_and_may_all_shrink():
    made = layer([-1, -4], [1, 2], tensors=2, momentum=0.0)
    assert made(tf.constant([-9.0]), tensor=0).numpy() == pytest.approx(-4, rel=0.01)
    made(tf.constant([-2.0, 0.5]), tensor=1, training=True)
    np.testing.assert_allclose(made.minimum.numpy(), [-1, -2])
    assert made(tf.constant([-9.0]), tensor=0).numpy() == pytest.approx(-2, rel=0.02)


def test_a_fixed_range_has_no_weights():
    made = FakeQuantization(minimum=0.0, maximum=255 / 256)
    assert made(tf.constant([0.5, 2.0]), training=True).numpy().tolist() == [0.5, 255 / 256]
    assert not made.weights


def test_kernels_of_channels_have_scales_of_their_own():
    random = np.random.default_rng(0)
    kernel = (random.normal(size=(3, 3, 4, 5)) * [1e-3, 1, 10, 0.1, 0]).astype("float32")
    for channel, found in enumerate(np.moveaxis(fake_quantized(kernel, True).numpy(), -1, 0)):
        assert len(np.unique(found)) <= 255
        np.testing.assert_allclose(found, kernel[..., channel], atol=np.abs(kernel[..., channel]).max() / 253)
    assert np.abs(fake_quantized(kernel, False).numpy() - kernel).max() > 10 / 256


def test_the_bias_of_a_channel_without_weights_still_fits_in_32_bits():
    kernel = np.array([[[[0.0, 1.0]]]], "float32")
    made = FakeQuantizedConv2D(filters=2, kernel_size=1)
    made(np.zeros((1, 1, 1, 1), "float32"))
    made.set_weights([kernel, np.array([3.0, 3.0], "float32")])
    small = np.abs(kernel + np.array([1e-6, 0])).astype("float32")
    steps = fake_quantized(small, True, made.bias).numpy()
    assert steps[..., 0] == 0.0  # its scale follows from its bias, and its weights are nothing beside it


@pytest.mark.parametrize("kind", [FakeQuantizedConv2D, FakeQuantizedDepthwiseConv2D])
def test_gradients_are_those_of_no_rounding(kind):
    options = {"filters": 2} if kind is FakeQuantizedConv2D else {}
    made, images = kind(kernel_size=3, **options), tf.random.stateless_normal((2, 5, 5, 2), (1, 2))
    exact = (keras.layers.Conv2D if options else keras.layers.DepthwiseConv2D)(kernel_size=3, **options)
    made(images), exact(images)
    exact.set_weights(made.get_weights())
    found = []
    for one in (made, exact):
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(one(images))
        found.append(tape.gradient(total, one.trainable_variables))
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)
