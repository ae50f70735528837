"""Changes of place: what is kept, what leaves, and in which direction things go."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from cnnpipe.augmentations import Augmentation
from cnnpipe.augmentations.random_flip import RandomFlip
from cnnpipe.augmentations.random_resized_crop import RandomResizedCrop
from cnnpipe.augmentations.random_rotation import RandomRotation
from cnnpipe.augmentations.random_shear import RandomShear
from cnnpipe.augmentations.random_translation import RandomTranslation
from cnnpipe.augmentations.random_zoom import RandomZoom

SIZE = 32


def batch(count: int = 12) -> dict[str, Any]:
    """Return noise, a mask of three classes, and a box around each of two of them, with one box of padding."""
    random = np.random.default_rng(0)
    images = random.uniform(0, 255, (count, SIZE, SIZE, 3)).astype(np.float32)
    masks = np.zeros((count, SIZE, SIZE, 1), np.int32)
    masks[:, 4:12, 6:20], masks[:, 18:27, 10:16] = 1, 2
    boxes = np.tile(np.array([[6, 4, 20, 12], [10, 18, 16, 27], [0, 0, 0, 0]], np.float32), (count, 1, 1))
    labels = np.tile(np.array([0, 1, -1], np.int32), (count, 1))
    values = {
        "images": images, "segmentation_masks": masks, "bounding_boxes": {"boxes": boxes, "labels": labels}
    }  # fmt: skip
    return dict(tf.nest.map_structure(tf.constant, values))


def changed(spec: Augmentation, values: dict[str, Any], seed: Any) -> dict[str, Any]:
    return dict(tf.nest.map_structure(np.asarray, tf.function(lambda given: spec.apply(given, seed))(values)))


def equal(one: Any, other: Any) -> bool:
    pairs = zip(tf.nest.flatten(one), tf.nest.flatten(other), strict=True)
    return all(np.allclose(a, b, rtol=0, atol=1e-4 if a.shape[-1] == 4 else 0) for a, b in pairs)  # boxes are computed


def boxes_of_masks(masks: np.ndarray, label: int) -> np.ndarray:
    found = [np.nonzero(mask[..., 0] == label + 1) for mask in masks]
    return np.array([(c.min(), r.min(), c.max() + 1, r.max() + 1) for r, c in found])


@pytest.mark.parametrize("mode", ["horizontal", "vertical", "horizontal_and_vertical"])
def test_a_flip_of_a_flip_changes_nothing(seeds: Any, mode: Any) -> None:
    spec, before = RandomFlip(mode=mode), batch()
    once = changed(spec, before, seeds())
    assert not equal(once, before)
    assert equal(changed(spec, once, seeds()), before)


def test_flips_mirror_what_they_say(seeds: Any) -> None:
    before = batch(400)
    images = before["images"].numpy()
    ways = {"horizontal": images[:, :, ::-1], "vertical": images[:, ::-1], "both": images[:, ::-1, ::-1]}
    for mode, expected in {
        "horizontal": {"horizontal": 0.5, "vertical": 0, "both": 0},
        "vertical": {"horizontal": 0, "vertical": 0.5, "both": 0},
        "horizontal_and_vertical": {"horizontal": 0.25, "vertical": 0.25, "both": 0.25},
    }.items():
        found = changed(RandomFlip.model_validate({"mode": mode}), before, seeds())["images"]
        for way, share in expected.items():
            is_so = (found == ways[way]).all((1, 2, 3)).mean()
            assert is_so == pytest.approx(share, abs=0.08 if share else 0), (mode, way)


def test_flips_keep_areas_and_fit_boxes_exactly(seeds: Any) -> None:
    before = batch()
    after = changed(RandomFlip(), before, seeds())
    for label, area in ((1, 8 * 14), (2, 9 * 6)):
        assert ((after["segmentation_masks"] == label).sum((1, 2, 3)) == area).all()
        seen = boxes_of_masks(after["segmentation_masks"], label - 1)
        np.testing.assert_allclose(after["bounding_boxes"]["boxes"][:, label - 1], seen, atol=1e-4)


def test_translations_keep_areas_of_what_stays_inside(seeds: Any) -> None:
    spec = RandomTranslation(height_factor=0.1, width_factor=0.1, fill_mode="constant")
    after = changed(spec, batch(), seeds())
    areas = (after["segmentation_masks"] == 1).sum((1, 2, 3))
    assert set(areas) == {8 * 14}
    sides = after["bounding_boxes"]["boxes"][:, 0]
    np.testing.assert_allclose((sides[:, 2] - sides[:, 0]) * (sides[:, 3] - sides[:, 1]), 8 * 14, rtol=1e-4)
    assert len(set(sides[:, 0])) > 6


def test_directions_are_those_that_the_fields_say(seeds: Any) -> None:
    right = changed(
        RandomTranslation(height_factor=0.0, width_factor=(0.2, 0.2), fill_mode="constant"), batch(), seeds()
    )
    assert right["bounding_boxes"]["boxes"][0, 0].tolist() == pytest.approx([12.4, 4, 26.4, 12], abs=1e-3)
    larger = changed(RandomZoom(height_factor=(-0.2, -0.2), fill_mode="constant"), batch(), seeds())
    assert (larger["segmentation_masks"] == 1).sum((1, 2, 3)).min() > 8 * 14 * 1.3
    turned = changed(RandomRotation(factor=(0.25, 0.25), fill_mode="constant"), batch(), seeds())
    quarter = np.rot90(batch()["images"].numpy(), 1, (1, 2))  # counter-clockwise
    np.testing.assert_allclose(turned["images"], quarter, atol=0.1)


def test_a_shear_keeps_the_middle_and_the_area(seeds: Any) -> None:
    before = batch()
    masks = np.zeros((12, SIZE, SIZE, 1), np.int32)
    masks[:, 12:20, 12:20] = 1
    before["segmentation_masks"] = tf.constant(masks)
    after = changed(RandomShear(x_factor=(0.4, 0.4), y_factor=0.2, fill_mode="constant"), before, seeds())
    for mask in after["segmentation_masks"][..., 0]:
        rows, columns = np.nonzero(mask)
        assert np.array([rows.mean(), columns.mean()]) == pytest.approx([15.5, 15.5], abs=0.5)
        assert len(rows) == pytest.approx(64, abs=6)


def test_crops_are_parts_of_the_stated_sizes(seeds: Any) -> None:
    """Coordinates as images: what a crop shows tells which part it is."""
    rows, columns = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    images = np.tile(np.stack([rows, columns], -1), (300, 1, 1, 1))
    spec = RandomResizedCrop(scale=(0.2, 0.5), ratio=(0.5, 2.0))
    found = changed(spec, {"images": tf.constant(images)}, seeds())["images"]
    inner = slice(8, 24)  # at the border, half a pixel is repeated
    height = (found[:, 23, 16, 0] - found[:, 8, 16, 0]) / 15 * SIZE
    width = (found[:, 16, 23, 1] - found[:, 16, 8, 1]) / 15 * SIZE
    areas, ratios = height * width / SIZE**2, width / height
    assert found[:, inner, inner].min() >= 0 and found.max() <= SIZE - 1
    assert areas.min() == pytest.approx(0.2, abs=0.02) and areas.max() == pytest.approx(0.5, abs=0.02)
    assert ratios.min() == pytest.approx(0.5, abs=0.05) and ratios.max() == pytest.approx(2.0, abs=0.1)
    whole = changed(RandomResizedCrop(scale=(1, 1), ratio=(1, 1)), {"images": tf.constant(images)}, seeds())
    np.testing.assert_allclose(whole["images"], images, atol=1e-3)


def test_a_box_that_leaves_becomes_padding(seeds: Any) -> None:
    spec = RandomTranslation(height_factor=(0.5, 0.5), width_factor=0.0, fill_mode="constant")
    after = changed(spec, batch(1), seeds())["bounding_boxes"]
    assert after["labels"].tolist() == [[0, -1, -1]]
    assert after["boxes"][0].tolist() == [[6, 20, 20, 28], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_there_may_be_no_boxes(seeds: Any) -> None:
    values = {**batch(2), "bounding_boxes": {"boxes": tf.zeros((2, 0, 4)), "labels": tf.zeros((2, 0), tf.int32)}}
    for spec in (RandomFlip(), RandomRotation(factor=0.1)):
        assert changed(spec, values, seeds())["bounding_boxes"]["boxes"].shape == (2, 0, 4)
