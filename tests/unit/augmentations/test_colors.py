"""Changes of colours: in the range, and by the words of the fields."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from cnnpipe.augmentations.random_color_jitter import RandomColorJitter
from cnnpipe.augmentations.random_contrast import RandomContrast
from cnnpipe.augmentations.random_erasing import RandomErasing
from cnnpipe.augmentations.random_hue import RandomHue
from cnnpipe.augmentations.random_saturation import RandomSaturation

IMAGES = tf.constant(np.random.default_rng(0).uniform(0, 255, (300, 8, 8, 3)), tf.float32)


def spread(images: Any) -> np.ndarray:
    return np.asarray(images).std((1, 2, 3))


def test_contrast_by_one_number_goes_both_ways(seeds: Any) -> None:
    images = IMAGES * 0.2 + 100
    factors = spread(RandomContrast(factor=0.5).change(images, seeds())) / spread(images)
    assert factors.min() == pytest.approx(0.5, abs=0.05) and factors.max() == pytest.approx(1.5, abs=0.05)


def test_contrast_by_two_numbers_is_lower_and_upper(seeds: Any) -> None:
    images = IMAGES * 0.2 + 100
    factors = spread(RandomContrast(factor=(0.8, 0.1)).change(images, seeds())) / spread(images)
    assert factors.min() == pytest.approx(0.2, abs=0.05) and factors.max() == pytest.approx(1.1, abs=0.05)


def test_saturation_is_that_of_hue_saturation_and_value(seeds: Any) -> None:
    """0.5 changes nothing, 0 is gray, 1 is full; between, it is Keras's own way through the three."""
    nothing = RandomSaturation(factor=(0.5, 0.5)).change(IMAGES, seeds())
    np.testing.assert_allclose(nothing, IMAGES, atol=0.01)
    gray = np.asarray(RandomSaturation(factor=(0, 0)).change(IMAGES, seeds()))
    np.testing.assert_allclose(gray, np.repeat(IMAGES.numpy().max(-1, keepdims=True), 3, -1), atol=0.01)
    full = np.asarray(RandomSaturation(factor=(1, 1)).change(IMAGES, seeds()))
    assert full.min(-1) == pytest.approx(0, abs=0.01)
    for factor in (0.3, 0.7):
        hsv = keras.ops.image.rgb_to_hsv(IMAGES / 255).numpy()
        hsv[..., 1] = np.clip(hsv[..., 1] * factor / (1 - factor), 0, 1)
        wanted = keras.ops.image.hsv_to_rgb(hsv) * 255
        found = RandomSaturation(factor=(factor, factor)).change(IMAGES, seeds())
        np.testing.assert_allclose(found, wanted, atol=0.05)


def test_hue_keeps_the_brightest_and_the_darkest_value(seeds: Any) -> None:
    found = np.asarray(RandomHue(factor=1.0).change(IMAGES, seeds()))
    assert np.abs(found - IMAGES.numpy()).max() > 50
    for extreme in (np.max, np.min):
        np.testing.assert_allclose(extreme(found, -1), extreme(IMAGES.numpy(), -1), atol=0.01)


def test_jitter_is_its_parts(seeds: Any) -> None:
    assert np.array_equal(RandomColorJitter().change(IMAGES, seeds()), IMAGES)
    alone = RandomColorJitter(hue_factor=0.5).change(IMAGES, seeds())
    assert np.array_equal(alone, RandomHue(factor=0.5).change(IMAGES, seeds()))
    assert not RandomColorJitter(brightness_factor=0.2, contrast_factor=0.2).unfit((8, 8, 1), frozenset())


def test_erasing_covers_as_often_and_as_much_as_stated(seeds: Any) -> None:
    images = tf.zeros((2000, 20, 20, 1))
    found = np.asarray(RandomErasing(factor=(0.3, 0.3), scale=(0.25, 0.25), fill_value=9.0).change(images, seeds()))
    covered = (found == 9).mean((1, 2, 3))
    assert (covered > 0).mean() == pytest.approx(0.3, abs=0.04)
    assert covered[covered > 0] == pytest.approx(0.25, abs=0.08)
    colour = RandomErasing(factor=(1, 1), scale=(1, 1), fill_value=(1, 2, 3)).change(IMAGES, seeds())
    assert np.asarray(colour)[0, 4, 4].tolist() == [1, 2, 3]
