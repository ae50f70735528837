"""How batches hand targets to augmentations, by Keras's keys, and take them back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from cnnpipe.augmentations import Augmentation
from cnnpipe.augmentations.mix_up import MixUp
from cnnpipe.augmentations.random_flip import RandomFlip
from cnnpipe.batches import training_batches
from cnnpipe.data import SplitData

IMAGES = np.random.default_rng(0).integers(0, 256, (8, 10, 12, 3), dtype=np.uint8)


def first(targets: Mapping[str, np.ndarray], augmentation: Augmentation, **options: Any) -> Any:
    data = SplitData(tuple("abcdefgh"), (None,) * 8, {"image": IMAGES}, targets)
    (batch,) = training_batches(data, 8, 0, 0, 1, [augmentation], **options)
    return tf.nest.map_structure(np.asarray, batch)


def test_labels_are_made_soft_only_where_they_are_mixed() -> None:
    def soften(targets: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"kinds": tf.one_hot(targets["kinds"], 8)}

    targets = {"kinds": np.arange(8, dtype=np.int32)}
    options = {"keys": {"kinds": "labels"}, "soften": soften}
    _, plain = first(targets, RandomFlip(), **options)
    assert plain.dtype == np.int32 and sorted(plain) == list(range(8))
    _, mixed = first(targets, MixUp(alpha=1), **options)
    assert mixed.shape == (8, 8) and mixed.dtype == np.float32
    np.testing.assert_allclose(mixed.sum(1), 1, atol=1e-5)
    assert (mixed > 0.01).sum() > 8


def test_boxes_move_and_targets_without_a_key_do_not() -> None:
    boxes = np.tile(np.array([[1, 2, 5, 8]], np.float32), (8, 1, 1))
    targets = {"corners": boxes, "kinds": np.zeros((8, 1), np.int32), "weights": boxes}
    keys = {"corners": "bounding_boxes.boxes", "kinds": "bounding_boxes.labels"}
    _, found = first(targets, RandomFlip(mode="horizontal"), keys=keys)
    assert set(found) == set(targets) and np.array_equal(found["weights"], boxes)
    assert {tuple(box) for box in found["corners"][:, 0].tolist()} == {(1, 2, 5, 8), (7, 2, 11, 8)}
