"""Every augmentation: Keras's arguments and defaults, and changes that a seed repeats."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import numpy as np
import pytest

from cnnpipe.augmentations import ROOM, Augmentation
from cnnpipe.batches import training_batches
from cnnpipe.data import SplitData

VALUES: dict[str, Any] = {"height_factor": 0.3, "width_factor": 0.3, "factor": 0.3}
"""For the arguments that have no default."""
NOT_OURS = {"seed", "data_format", "kwargs", "self"}
NAMES = ROOM.names()


def made(name: str) -> Augmentation:
    kind = ROOM.load(name)
    needed = [key for key, field in kind.model_fields.items() if field.is_required()]
    spec = kind.model_validate({key: VALUES[key] for key in needed})
    assert isinstance(spec, Augmentation)
    return spec


def batches(spec: Augmentation, seed: int = 0) -> list[np.ndarray]:
    images = np.random.default_rng(1).integers(60, 200, (6, 12, 10, 3), dtype=np.uint8)
    data = SplitData(tuple("abcdef"), (None,) * 6, {"image": images}, {"y": np.arange(6)})
    return [x.numpy() for x, _ in training_batches(data, 6, seed, 0, 3, [spec])]


def test_all_are_seen() -> None:
    assert set(NAMES) >= {
        "random_brightness", "random_contrast", "random_flip", "random_rotation", "random_translation", "random_zoom"
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_fields_are_the_arguments_of_the_keras_layer(name: str) -> None:
    kind = ROOM.load(name)
    arguments = inspect.signature(getattr(keras.layers, kind.__name__).__init__).parameters
    wanted = {key: value.default for key, value in arguments.items() if key not in NOT_OURS}
    fields = {key: field for key, field in kind.model_fields.items() if key != "type"}
    assert set(fields) == set(wanted)
    for key, field in fields.items():
        assert field.is_required() == (wanted[key] is inspect.Parameter.empty)
        assert field.is_required() or field.default == wanted[key]


@pytest.mark.parametrize("name", NAMES)
def test_the_layer_is_what_the_spec_says(name: str) -> None:
    spec = made(name)
    config = spec.layer().get_config()
    for key, value in spec.model_dump(exclude={"type"}).items():
        said = tuple(config[key]) if isinstance(config[key], list | tuple) else config[key]
        bounds = ((-value, value), (0, value)) if key in VALUES and isinstance(value, float) else ()
        assert said == value or said in bounds


def test_contrast_by_one_number_is_only_raised() -> None:
    """Keras's documentation says otherwise; what its layer does is what our field promises."""
    layer = ROOM.load("random_contrast").model_validate({"factor": 0.5}).layer()  # type: ignore[attr-defined]
    assert tuple(layer.factor) == (0, 0.5)


@pytest.mark.parametrize("name", NAMES)
def test_changes_are_repeated_by_the_seed_alone(name: str) -> None:
    first, again, other = batches(made(name)), batches(made(name)), batches(made(name), seed=1)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(np.sort(first[0], 0), np.sort(other[0], 0))
    assert not np.array_equal(np.sort(first[0], 0), np.sort(first[1], 0)), "the same changes at each step"
    for images in first:
        assert images.shape == (6, 12, 10, 3) and images.dtype == np.float32
        assert images.min() >= 0 and images.max() <= 255


@pytest.mark.parametrize("name", NAMES)
def test_values_that_keras_refuses_are_refused_before(name: str) -> None:
    kind = ROOM.load(name)
    fields = [key for key in VALUES if key in kind.model_fields]
    base = made(name).model_dump()
    for key in fields:
        for wrong in (1.5, -0.1, (0.4, 0.1) if name != "random_contrast" else (0.1, 1.5), (0.1, 0.2, 0.3), "much"):
            with pytest.raises(ValueError, match=key):
                kind.model_validate({**base, key: wrong})
