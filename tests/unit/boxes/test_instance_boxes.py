"""Boxes around instances, against a plain loop over them, and rows that follow what augmentation left."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from cnnpipe.boxes.instances import boxes_around, fitted
from cnnpipe.registry import room

SIZE = (24, 31)


def random_masks(seed, batch=3, rows=9):
    random = np.random.default_rng(seed)
    masks = np.zeros((batch, *SIZE, 1), np.int32)
    for image in masks:
        for number in random.permutation(rows)[: rows - 2] + 1:
            top, left = random.integers(0, 20, 2)
            image[top : top + random.integers(1, 9), left : left + random.integers(1, 9), 0] = number
    return masks


def by_hand(masks, rows):
    found = np.zeros((len(masks), rows, 4), np.float32)
    for image, boxes in zip(masks[..., 0], found, strict=True):
        for row in range(rows):
            y, x = np.nonzero(image == row + 1)
            if len(y):
                boxes[row] = x.min(), y.min(), x.max() + 1, y.max() + 1
    return found


@pytest.mark.parametrize("seed", range(4))
def test_boxes_are_those_of_a_loop(seed):
    masks = random_masks(seed)
    np.testing.assert_array_equal(boxes_around(masks, 9), by_hand(masks, 9))
    np.testing.assert_array_equal(tf.function(boxes_around)(tf.constant(masks), 9), by_hand(masks, 9))


def test_numbers_beyond_the_rows_are_nobody():
    masks = np.zeros((1, *SIZE, 1), np.int32)
    masks[0, 3:6, 2:4, 0] = 7
    assert not np.asarray(boxes_around(masks, 4)).any()


def test_hundreds_of_instances_are_no_trouble():
    """A table of all pixels for all rows would be 400 times 512 x 512 numbers for each image: 3 gigabytes here."""
    masks = np.zeros((8, 512, 512, 1), np.int32)
    masks[:, ::20, ::20, 0] = np.arange(26 * 26).reshape(26, 26)
    found = np.asarray(boxes_around(masks, 675))
    assert (found[:, :, 2] - found[:, :, 0] == 1).all()


def test_rows_without_a_pixel_go_and_the_others_keep_what_is_theirs():
    masks = np.zeros((2, *SIZE, 1), np.int32)
    masks[0, 2:5, 3:9, 0], masks[0, 10:12, 1:2, 0] = 4, 2
    masks[1, 0:3, 0:3, 0] = 1
    labels, crowd = np.array([[0, 1, 2, 3, -1], [2, 1, -1, -1, -1]]), np.array([[1, 1, 0, 0, 0], [0, 0, 0, 0, 0]])
    found = {key: np.asarray(values) for key, values in fitted(labels, crowd, masks).items()}
    assert found["labels"].tolist() == [[1, 3], [2, -1]]  # as many rows as the fullest image needs
    assert found["crowd"].tolist() == [[1, 0], [0, 0]]
    assert found["boxes"].tolist() == [[[1, 10, 2, 12], [3, 2, 9, 5]], [[0, 0, 3, 3], [0, 0, 0, 0]]]
    np.testing.assert_array_equal(found["instance_masks"][0], np.where(masks[0] == 4, 2, np.where(masks[0] == 2, 1, 0)))


def test_a_batch_without_any_object_keeps_one_empty_row():
    found = fitted(np.full((2, 6), -1), np.zeros((2, 6), int), np.zeros((2, *SIZE, 1), np.int32))
    assert np.asarray(found["labels"]).tolist() == [[-1], [-1]]
    assert not np.asarray(found["boxes"]).any()


@pytest.mark.parametrize(
    "augmentation",
    [{"type": "random_rotation", "factor": (0.125, 0.125), "fill_mode": "constant"}, {"type": "mosaic"}, "random_flip"],
)
def test_boxes_fit_what_an_augmentation_made_of_the_masks(augmentation):
    import keras

    kind = augmentation if isinstance(augmentation, str) else augmentation["type"]
    spec = room("augmentations").load(kind).model_validate(augmentation if kind != augmentation else {"type": kind})
    masks = random_masks(5, 4)
    labels = np.where(by_hand(masks, 9)[..., 2] > 0, 1, -1).astype(np.int32)
    moved = spec.apply(
        {
            "images": np.zeros((4, *SIZE, 3), np.float32), "instance_masks": masks,
            "bounding_boxes": {"boxes": by_hand(masks, 9), "labels": labels, "crowd": np.zeros_like(labels)},
        },
        keras.random.SeedGenerator(1),
    )  # fmt: skip
    boxes = moved["bounding_boxes"]
    found = {k: np.asarray(v) for k, v in fitted(boxes["labels"], boxes["crowd"], moved["instance_masks"]).items()}
    assert (found["labels"] >= 0).sum() > 8
    np.testing.assert_array_equal(found["boxes"], by_hand(found["instance_masks"], found["labels"].shape[1]))
