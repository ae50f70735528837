"""Every augmentation: Keras's arguments, defaults and arithmetic; changes that a seed repeats; boxes and masks."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from cnnpipe.augmentations import ROOM, Augmentation
from cnnpipe.batches import training_batches, view_batches
from cnnpipe.data import SplitData

VALUES: dict[str, Any] = {"height_factor": 0.3, "width_factor": 0.3, "factor": 0.3}
"""For the arguments that have no default."""
NOT_OURS = {"seed", "data_format", "kwargs", "self"}
UNKNOWN_TO_KERAS = {"mosaic", "random_resized_crop", "scale_jitter"}
OTHER_ARITHMETIC = {
    "cut_mix", "mix_up", "rand_augment", "random_color_jitter", "random_contrast", "random_flip", "random_saturation",
    "random_shear",
}  # fmt: skip
"""Where Keras's layer is not what it says, or draws in another order; tests/unit/augmentations says what they do."""
NAMES = ROOM.names()
SIZE = 24


def made(name: str, **arguments: Any) -> Augmentation:
    kind = ROOM.load(name)
    needed = {key: VALUES[key] for key, field in kind.model_fields.items() if field.is_required()}
    if name == "scale_jitter":
        needed = {"scale": (0.6, 2.0)}  # smaller ones leave less than a pixel
    if name == "random_shear":
        needed = {"x_factor": 0.3, "y_factor": 0.3}
    if name == "random_color_jitter":
        needed = {f"{part}_factor": 0.3 for part in ("brightness", "contrast", "saturation", "hue")}
    spec = kind.model_validate({**needed, **arguments})
    assert isinstance(spec, Augmentation)
    return spec


def with_constant_fill(name: str) -> Augmentation:
    return made(name, **({"fill_mode": "constant"} if "fill_mode" in ROOM.load(name).model_fields else {}))


def data(channels: int = 3) -> SplitData:
    images = np.random.default_rng(1).integers(60, 200, (6, 12, 10, channels), dtype=np.uint8)
    return SplitData(tuple("abcdef"), (None,) * 6, {"image": images}, {"y": np.eye(6, dtype=np.float32)})


def batches(spec: Augmentation, seed: int = 0, start: int = 0, channels: int = 3) -> list[np.ndarray]:
    found = training_batches(data(channels), 6, seed, start, 3, [spec], keys={"y": "labels"})
    return [x.numpy() for x, _ in found]


class Seeds(keras.random.SeedGenerator):  # type: ignore[misc]
    """Draws the same numbers whenever it is asked in the same order."""

    def __init__(self, seed: int = 0) -> None:
        self.seed, self.drawn = seed, 0

    def next(self, ordered: bool = True) -> Any:
        self.drawn += 1
        return tf.constant([self.seed, self.drawn], "uint32")


def shapes() -> dict[str, Any]:
    """Return a rectangle in each image, with its mask and box, and a box that is padding."""
    images = np.zeros((16, SIZE, SIZE, 3), np.float32)
    masks, boxes = np.zeros((16, SIZE, SIZE, 1), np.int32), np.zeros((16, 2, 4), np.float32)
    for number in range(16):
        random = np.random.default_rng(number)
        (left, top), (width, height) = random.integers(1, 10, 2), random.integers(5, 12, 2)
        masks[number, top : top + height, left : left + width] = 1
        boxes[number, 0] = left, top, left + width, top + height
    images += 200 * masks
    labels = np.tile(np.array([[3, -1]], np.int32), (16, 1))
    batch = {
        "images": images, "segmentation_masks": masks, "bounding_boxes": {"boxes": boxes, "labels": labels},
        "instance_masks": masks, "labels": np.eye(16, dtype=np.float32),
    }  # fmt: skip
    return dict(tf.nest.map_structure(tf.constant, batch))


def plain(batch: Mapping[str, Any]) -> dict[str, Any]:
    return dict(tf.nest.map_structure(np.asarray, dict(batch)))


def applied(spec: Augmentation, batch: Mapping[str, Any], seed: int = 0) -> dict[str, Any]:
    """Return the batch changed in a graph, as training does it: TensorFlow simplifies graphs, not always rightly."""
    return plain(tf.function(lambda values: spec.apply(values, Seeds(seed)))(dict(batch)))


def test_all_are_seen() -> None:
    assert set(NAMES) >= {
        "cut_mix", "mix_up", "rand_augment", "random_brightness", "random_color_jitter", "random_contrast",
        "random_erasing", "random_flip", "random_hue", "random_resized_crop", "random_rotation", "random_saturation",
        "random_shear", "random_translation", "random_zoom", "mosaic", "scale_jitter",
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_fields_are_the_arguments_of_the_keras_layer(name: str) -> None:
    kind = ROOM.load(name)
    if name in UNKNOWN_TO_KERAS:
        assert not hasattr(keras.layers, kind.__name__)
        return
    arguments = inspect.signature(getattr(keras.layers, kind.__name__).__init__).parameters
    wanted = {key: value.default for key, value in arguments.items() if key not in NOT_OURS}
    fields = {key: field for key, field in kind.model_fields.items() if key != "type"}
    assert set(fields) == set(wanted)
    for key, field in fields.items():
        assert field.is_required() == (wanted[key] is inspect.Parameter.empty)
        assert field.is_required() or field.default == wanted[key]


@pytest.mark.parametrize("name", sorted(set(NAMES) - OTHER_ARITHMETIC - UNKNOWN_TO_KERAS))
def test_images_are_those_of_the_keras_layer(name: str) -> None:
    spec = made(name)
    images = tf.constant(np.random.default_rng(0).integers(0, 256, (8, 12, 10, 3)), tf.float32)
    layer = getattr(keras.layers, type(spec).__name__)(**spec.model_dump(exclude={"type"}))
    change = layer.get_random_transformation(images, training=True, seed=Seeds())
    wanted = layer.transform_images(images, change, training=True)
    found = applied(spec, {"images": images})["images"]
    assert np.abs(found - images.numpy()).max() > 10
    np.testing.assert_allclose(found, wanted, atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_changes_are_repeated_by_the_seed_alone(name: str) -> None:
    first, other = batches(made(name)), batches(made(name), seed=1)
    again = batches(made(name), start=1)
    assert all(np.array_equal(a, b) for a, b in zip(first[1:], again, strict=True)), "a resumed run sees other batches"
    assert not np.array_equal(np.sort(first[0], 0), np.sort(other[0], 0))
    assert not np.array_equal(np.sort(first[0], 0), np.sort(first[1], 0)), "the same changes at each step"
    for images in first:
        assert images.shape == (6, 12, 10, 3) and images.dtype == np.float32
        assert images.min() >= 0 and images.max() <= 255 and np.isfinite(images).all()


@pytest.mark.parametrize("name", NAMES)
def test_gray_images_are_changed_or_refused(name: str) -> None:
    spec = made(name)
    assert not spec.unfit((12, 10, 3), frozenset())
    if refused := spec.unfit((12, 10, 1), frozenset()):
        assert "1 channel" in refused
        assert name in ("random_hue", "random_saturation", "random_color_jitter")
        return
    changed = batches(spec, channels=1)
    assert changed[0].shape == (6, 12, 10, 1)
    assert not np.array_equal(np.sort(changed[0], 0), np.sort(changed[1], 0))


@pytest.mark.parametrize("name", NAMES)
def test_batches_of_any_size_are_changed(name: str) -> None:
    spec = made(name)
    if spec.mixes_labels:
        return
    sizes = [len(x) for x, _ in view_batches(data(), 4, 0, 0, [spec])]
    assert sizes == [4, 2]


@pytest.mark.parametrize("name", NAMES)
def test_labels_are_mixed_or_left_alone(name: str) -> None:
    batch = {key: value for key, value in shapes().items() if key in ("images", "labels")}
    spec = made(name)
    labels = applied(spec, batch)["labels"]
    np.testing.assert_allclose(labels.sum(1), 1, atol=1e-5)
    assert np.array_equal(labels, plain(batch)["labels"]) != spec.mixes_labels


@pytest.mark.parametrize("name", NAMES)
def test_masks_and_boxes_move_with_the_images(name: str) -> None:
    """On rectangles, so that a turned box is as large as a turned object."""
    spec, batch = with_constant_fill(name), shapes()
    keys = frozenset({"bounding_boxes", "instance_masks", "segmentation_masks"})
    if refused := spec.unfit((SIZE, SIZE, 3), keys):
        assert all((key in refused) == (key in spec.cannot_change) for key in keys)
        batch = {key: value for key, value in batch.items() if key not in spec.cannot_change}
    changed = applied(spec, batch, seed=5)
    if "segmentation_masks" in changed:
        assert changed["segmentation_masks"].dtype == np.int32
        assert set(np.unique(changed["segmentation_masks"])) <= {0, 1}
    if "bounding_boxes" not in changed or name == "mosaic":  # which has tests of its own
        return
    kept = changed["bounding_boxes"]["labels"][:, :1, None, None] != -1
    assert changed["instance_masks"].dtype == np.int32
    assert np.array_equal(changed["instance_masks"], changed["segmentation_masks"] * kept)
    boxes, labels = changed["bounding_boxes"]["boxes"], changed["bounding_boxes"]["labels"]
    assert (labels[:, 1] == -1).all() and not boxes[labels == -1].any()
    for mask, box, label in zip(changed["segmentation_masks"][..., 0], boxes[:, 0], labels[:, 0], strict=True):
        rows, columns = np.nonzero(mask)
        if label == -1:
            assert len(rows) <= 2 * SIZE, "an object without a box"
        else:
            seen = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            np.testing.assert_allclose(box, seen, atol=2)


@pytest.mark.parametrize("name", NAMES)
def test_boxes_and_masks_are_untouched_where_nothing_moves(name: str) -> None:
    spec, batch = with_constant_fill(name), shapes()
    if spec.cannot_change:
        return
    changed, before = applied(spec, batch), plain(batch)
    moves = not np.array_equal(changed["segmentation_masks"], before["segmentation_masks"])
    assert moves != np.array_equal(changed["bounding_boxes"]["boxes"], before["bounding_boxes"]["boxes"])
    geometric = {"random_flip", "random_resized_crop", "random_rotation", "random_shear", "random_translation",
                 "random_zoom", "rand_augment", "scale_jitter"}  # fmt: skip
    assert moves == (name in geometric)


@pytest.mark.parametrize("name", NAMES)
def test_fills_that_show_objects_twice_are_refused_where_there_are_boxes(name: str) -> None:
    if "fill_mode" not in ROOM.load(name).model_fields:
        return
    boxes = frozenset({"bounding_boxes"})
    for mode in ("reflect", "wrap", "nearest", "constant"):
        refused = made(name, fill_mode=mode).unfit((SIZE, SIZE, 3), boxes)
        assert bool(refused) == (mode in ("reflect", "wrap"))
        assert not made(name, fill_mode=mode).unfit((SIZE, SIZE, 3), frozenset({"segmentation_masks"}))


@pytest.mark.parametrize("name", NAMES)
def test_values_that_keras_refuses_are_refused_before(name: str) -> None:
    kind = ROOM.load(name)
    fields = [key for key in kind.model_fields if key.endswith("factor")]
    base = made(name).model_dump()
    for key in fields:
        for wrong in (1.5, -0.1, (0.4, 0.1) if "contrast" not in name + key else (0.1, 1.5), (0.1, 0.2, 0.3), "much"):
            with pytest.raises(ValueError, match=key):
                kind.model_validate({**base, key: wrong})
