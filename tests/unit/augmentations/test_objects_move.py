"""Boxes and masks of instances go where the pixels go: what must be kept is kept, what has left leaves no trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from cnnpipe.augmentations import ROOM, Augmentation
from cnnpipe.augmentations.mosaic import Mosaic
from cnnpipe.augmentations.random_flip import RandomFlip
from cnnpipe.augmentations.random_translation import RandomTranslation
from cnnpipe.augmentations.scale_jitter import ScaleJitter
from cnnpipe.datasets.synthetic_shapes import SyntheticShapes
from cnnpipe.examination.truth import batch_of

SIZE, ROWS = 48, 4
MOVING = {
    "random_flip": {}, "random_resized_crop": {"scale": (0.3, 1.0)}, "random_rotation": {"factor": 0.2},
    "random_shear": {"x_factor": 0.3, "y_factor": 0.3},
    "random_translation": {"height_factor": 0.3, "width_factor": 0.3},
    "random_zoom": {"height_factor": 0.3}, "rand_augment": {}, "scale_jitter": {"scale": (0.5, 2.0)}, "mosaic": {},
}  # fmt: skip
NEEDS = frozenset({"bounding_boxes", "instance_masks", "segmentation_masks"})


@pytest.fixture(scope="module")
def batch() -> dict[str, Any]:
    """Sixteen pictures of one to four shapes."""
    source = SyntheticShapes(examples=16, objects=(1, ROWS), image_size=(SIZE, SIZE), noise=0.0)
    examples = [example.read() for example in source.open(Path()).examples]
    targets, _ = batch_of(examples, NEEDS)
    boxes = {"boxes": targets.pop("bounding_boxes.boxes"), "labels": targets.pop("bounding_boxes.labels")}
    images = np.stack([example["images"] for example in examples]).astype(np.float32)
    return dict(tf.nest.map_structure(tf.constant, {"images": images, "bounding_boxes": boxes, **targets}))


def changed(spec: Augmentation, values: dict[str, Any], seed: Any) -> dict[str, Any]:
    return dict(tf.nest.map_structure(np.asarray, tf.function(lambda given: spec.apply(given, seed))(values)))


def made(name: str) -> Augmentation:
    kind = ROOM.load(name)
    fill = {"fill_mode": "constant"} if "fill_mode" in kind.model_fields else {}
    return kind.model_validate({**MOVING[name], **fill})  # type: ignore[return-value]


def test_all_that_move_are_seen() -> None:
    from cnnpipe.augmentations._geometry import GeometricAugmentation

    geometric = {name for name in ROOM.names() if issubclass(ROOM.load(name), GeometricAugmentation)}
    assert geometric <= set(MOVING) and len(geometric) >= 5


@pytest.mark.parametrize("name", sorted(MOVING))
def test_masks_of_instances_and_of_classes_agree_and_lie_in_their_boxes(
    name: str, batch: dict[str, Any], seeds: Any
) -> None:
    after = changed(made(name), batch, seeds())
    assert after["instance_masks"].dtype == np.int32
    boxes, labels = after["bounding_boxes"]["boxes"], after["bounding_boxes"]["labels"]
    assert not boxes[labels == -1].any() and boxes.min() >= 0 and boxes.max() <= SIZE
    assert (labels != -1).sum() > 12
    for row in range(len(labels)):
        mask, classes = after["instance_masks"][row, ..., 0], after["segmentation_masks"][row, ..., 0]
        ids = set(np.unique(mask).tolist()) - {0}
        assert ids <= {number + 1 for number in np.flatnonzero(labels[row] != -1).tolist()}, "one whose box has left"
        for number in ids:
            left, top, right, bottom = boxes[row, number - 1]
            rows, columns = np.nonzero(mask == number)
            assert left - 1 <= columns.min() and columns.max() + 1 <= right + 1
            assert top - 1 <= rows.min() and rows.max() + 1 <= bottom + 1
            assert set(classes[mask == number].tolist()) == {labels[row, number - 1] + 1}


@pytest.mark.parametrize("mode", ["horizontal", "vertical", "horizontal_and_vertical"])
def test_a_flipped_flip_is_the_identity_for_instances(mode: Any, batch: dict[str, Any], seeds: Any) -> None:
    spec = RandomFlip(mode=mode)
    once = changed(spec, batch, seeds())
    again = changed(spec, once, seeds())
    assert not np.array_equal(once["instance_masks"], batch["instance_masks"])
    assert np.array_equal(again["instance_masks"], batch["instance_masks"])
    np.testing.assert_allclose(again["bounding_boxes"]["boxes"], batch["bounding_boxes"]["boxes"], atol=1e-4)
    counts = [np.bincount(np.asarray(values["instance_masks"]).ravel()) for values in (batch, once)]
    assert np.array_equal(*counts), "areas are kept"


def test_an_instance_that_leaves_takes_its_number_along(batch: dict[str, Any], seeds: Any) -> None:
    spec = RandomTranslation(height_factor=0.0, width_factor=(0.6, 0.6), fill_mode="constant")
    after = changed(spec, batch, seeds())
    gone = after["bounding_boxes"]["labels"] == -1
    assert gone.sum() > (batch["bounding_boxes"]["labels"].numpy() == -1).sum()
    for row, labels in enumerate(gone):
        assert not set(np.flatnonzero(labels) + 1) & set(np.unique(after["instance_masks"][row]).tolist())


def test_numbers_beyond_the_rows_of_boxes_become_nothing(batch: dict[str, Any], seeds: Any) -> None:
    fewer = {**batch, "bounding_boxes": {key: values[:, :2] for key, values in batch["bounding_boxes"].items()}}
    assert batch["instance_masks"].numpy().max() > 2
    assert changed(RandomFlip(), fewer, seeds())["instance_masks"].max() == 2


def test_jitter_of_factor_one_changes_nothing_and_of_a_half_halves(batch: dict[str, Any], seeds: Any) -> None:
    same = changed(ScaleJitter(scale=(1.0, 1.0)), batch, seeds())
    np.testing.assert_allclose(same["images"], batch["images"], atol=1e-2)
    assert np.array_equal(same["instance_masks"], batch["instance_masks"])
    half = changed(ScaleJitter(scale=(0.5, 0.5)), batch, seeds())
    sides = [
        values["bounding_boxes"]["boxes"][..., 2:] - values["bounding_boxes"]["boxes"][..., :2]
        for values in (half, batch)
    ]
    np.testing.assert_allclose(sides[0], np.asarray(sides[1]) / 2, atol=1e-3)
    assert np.array_equal(half["bounding_boxes"]["labels"], batch["bounding_boxes"]["labels"]), "nothing leaves"
    corners = half["bounding_boxes"]["boxes"][:, 0, 0] - np.asarray(batch["bounding_boxes"]["boxes"])[:, 0, 0] / 2
    assert corners.min() >= -1e-3 and corners.max() <= SIZE / 2 + 1e-3 and len(set(corners.round(2))) > 12


def test_large_jitter_enlarges_and_cuts(batch: dict[str, Any], seeds: Any) -> None:
    double = changed(ScaleJitter(scale=(2.0, 2.0)), batch, seeds())
    before = (batch["instance_masks"].numpy() > 0).sum((1, 2, 3))
    after = (double["instance_masks"] > 0).sum((1, 2, 3))
    assert (after <= 4 * before + 8).all() and after.sum() > before.sum()


def test_a_mosaic_of_halves_shows_four_images_whole(batch: dict[str, Any], seeds: Any) -> None:
    after = changed(Mosaic(scale=(0.5, 0.5)), batch, seeds())
    boxes, labels = after["bounding_boxes"]["boxes"], after["bounding_boxes"]["labels"]
    assert labels.shape == (16, 4 * ROWS)
    np.testing.assert_allclose(boxes[:, :ROWS], np.asarray(batch["bounding_boxes"]["boxes"]) / 2, atol=1e-3)
    for part in range(4):
        own = labels[:, part * ROWS : (part + 1) * ROWS]
        assert sorted(map(tuple, own.tolist())) == sorted(
            map(tuple, batch["bounding_boxes"]["labels"].numpy().tolist())
        )
        shown = boxes[:, part * ROWS : (part + 1) * ROWS][own != -1]
        low = np.array([part % 2, part // 2] * 2) * SIZE / 2
        assert (shown >= low - 1e-3).all() and (shown <= low + SIZE / 2 + 1e-3).all()
    assert after["instance_masks"].max() > ROWS


def test_a_mosaic_leaves_no_place_empty(batch: dict[str, Any], seeds: Any) -> None:
    ones = {**batch, "images": tf.ones_like(batch["images"]) * 77}
    for scale in ((0.5, 1.0), (0.5, 0.5), (1.0, 1.0)):
        assert (changed(Mosaic(scale=scale, offset=(0.0, 1.0)), ones, seeds())["images"] == 77).all()


def test_a_mosaic_in_full_size_keeps_pixels_as_they_are(batch: dict[str, Any], seeds: Any) -> None:
    """Coordinates as images: each quarter shows the corner of its image that lies there."""
    rows, columns = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    images = np.tile(np.stack([rows, columns, 0 * rows], -1), (16, 1, 1, 1))
    after = changed(Mosaic(scale=(1.0, 1.0), offset=(0.5, 0.5)), {"images": tf.constant(images)}, seeds())["images"]
    half = SIZE // 2
    np.testing.assert_allclose(after[0, :half, :half], images[0, half:, half:], atol=1e-2)
    np.testing.assert_allclose(after[0, half:, :half], images[0, :half, half:], atol=1e-2)


def test_images_that_become_no_mosaic_stay_as_they_are(batch: dict[str, Any], seeds: Any) -> None:
    after = changed(Mosaic(probability=0.0), batch, seeds())
    np.testing.assert_allclose(after["images"], batch["images"], atol=1e-2)
    assert np.array_equal(after["instance_masks"], batch["instance_masks"])
    assert np.array_equal(after["bounding_boxes"]["labels"][:, :ROWS], batch["bounding_boxes"]["labels"])
    assert (after["bounding_boxes"]["labels"][:, ROWS:] == -1).all()
    some = changed(Mosaic(probability=0.5), batch, seeds())["images"]
    assert 2 < (np.abs(some - batch["images"].numpy()).max((1, 2, 3)) < 1e-2).sum() < 14


def test_a_mosaic_is_refused_where_images_have_one_label() -> None:
    assert "labels" in Mosaic().unfit((SIZE, SIZE, 3), frozenset({"labels"}))
    assert not Mosaic().unfit((SIZE, SIZE, 3), NEEDS)
