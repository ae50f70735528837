"""RandAugment: its operations are those of the Python Imaging Library, drawn for each image by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageEnhance, ImageOps

from cnnpipe.augmentations import _operations
from cnnpipe.augmentations.rand_augment import RandAugment


def pictures() -> np.ndarray:
    """Return pictures of waves with a little noise, in which levels are unevenly frequent."""
    rows, columns = np.mgrid[:40, :30]
    waves = [np.sin(rows / 7 + k) * 60 + np.cos(columns / (5 + k)) * 50 + 120 for k in range(6)]
    noise = np.random.default_rng(0).normal(0, 4, (40, 30, 6))
    return np.round(np.stack(waves, -1) + noise).reshape(40, 30, 2, 3).transpose(2, 0, 1, 3).astype(np.uint8)


@pytest.mark.parametrize(
    ("name", "strength", "wanted", "tolerance"),
    [
        ("auto_contrast", 0.5, ImageOps.autocontrast, 1),
        ("equalize", 0.5, ImageOps.equalize, 0),
        ("solarize", 0.5, lambda picture: ImageOps.solarize(picture, 128), 0),
        ("posterize", 0.5, lambda picture: ImageOps.posterize(picture, 6), 0),
        ("color", 0.5, lambda picture: ImageEnhance.Color(picture).enhance(1.45), 2),
        ("color", -1.0, lambda picture: ImageEnhance.Color(picture).enhance(0.1), 2),
        ("contrast", -0.5, lambda picture: ImageEnhance.Contrast(picture).enhance(0.55), 2),
        ("brightness", 0.5, lambda picture: ImageEnhance.Brightness(picture).enhance(1.45), 1),
        ("sharpness", 0.5, lambda picture: ImageEnhance.Sharpness(picture).enhance(1.45), 2),
    ],
)
def test_operations_are_those_of_the_imaging_library(name: str, strength: float, wanted: Any, tolerance: float) -> None:
    images = pictures()
    found = getattr(_operations, name)(tf.constant(images, tf.float32), tf.fill((2, 1, 1, 1), strength))
    expected = np.stack([np.asarray(wanted(Image.fromarray(image))) for image in images])
    np.testing.assert_allclose(np.clip(found, 0, 255), expected.astype(float), atol=tolerance)
    assert np.abs(expected.astype(float) - images).max() >= 3


def test_each_image_has_operations_of_its_own(seeds: Any) -> None:
    images = tf.constant(np.tile(pictures()[:1], (60, 1, 1, 1)), tf.float32)
    found = RandAugment(num_ops=1, factor=(0.5, 0.5)).apply({"images": images}, seeds())["images"].numpy()
    kinds = {image.tobytes() for image in found}
    assert 14 <= len(kinds) <= 2 * 14, "the same change of every image, or noise"


def test_without_strength_most_operations_do_nothing(seeds: Any) -> None:
    images = tf.constant(np.tile(pictures()[:1], (60, 1, 1, 1)), tf.float32)
    found = RandAugment(num_ops=1, factor=(0, 0)).apply({"images": images}, seeds())["images"].numpy()
    changed = np.abs(found - images.numpy()).max((1, 2, 3)) > 0.5
    assert 0 < changed.mean() < 0.35  # auto contrast and equalization have no strength


def test_other_value_ranges_give_the_same_pictures(seeds: Any) -> None:
    images = tf.constant(np.repeat(pictures(), 20, 0), tf.float32)
    one = RandAugment().apply({"images": images}, seeds())["images"]
    other = RandAugment(value_range=(-1, 1)).apply({"images": images / 127.5 - 1}, seeds())["images"]
    differences = np.abs((other + 1) * 127.5 - one)
    assert np.median(differences) < 0.01 and (differences > 1).mean() < 0.15  # steps of posterization may round apart
