"""A phase with frozen layers is trained on their features, with the same result as on pixels, to rounding."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnpipe.batches import training_batches
from cnnpipe.frozen_features import cache
from cnnpipe.task import Task

MOVES = "data.augmentation=[{type: random_translation, height_factor: 0.2, width_factor: 0.2}]"
VIEWS = "training.phases.head.cached_views=3"


def outputs(model: Any, inputs: np.ndarray) -> np.ndarray:
    return np.asarray(model(inputs.astype("float32"), training=False))


def test_the_rest_says_on_features_what_the_whole_says_on_pixels(small: Any) -> None:
    training = small()
    network = training.network()
    for number in (0, 1):
        part = training.phase_data(network, number)
        for split, found in (("training", part.training), ("validation", part.validation)):
            pixels = training.data.splits[split]
            assert found.names == pixels.names and found.targets is pixels.targets
            (features,), (images,) = found.inputs.values(), pixels.inputs.values()
            assert features.dtype == np.float32
            assert np.allclose(outputs(part.model, features), outputs(network, images), atol=1e-6)
        assert [list(part.graph.inputs), list(part.training.inputs)] == [["image"], ["image"]]
    assert len(part.model.layers) < len(network.layers)
    assert all(layer in network.layers for layer in part.model.layers[1:])


def test_training_on_features_ends_as_on_pixels(small: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights, statistics and scores; though layers of the backbone are random while they are trained."""
    training = small()
    fast, run = training.fit()
    assert sum("trains on features" in note for note in training.ears.notes) == 2
    training.ears.notes.clear()
    monkeypatch.setattr(cache, "BUDGET", 0)
    plain, plain_run = training.fit()
    assert sum("runs the whole network in every epoch" in note for note in training.ears.notes) == 2
    moved = [
        not np.array_equal(a, b) for a, b in zip(fast.get_weights(), training.network().get_weights(), strict=True)
    ]
    assert any(moved) and not all(moved)
    for mine, theirs in zip(fast.get_weights(), plain.get_weights(), strict=True):
        assert np.allclose(mine, theirs, atol=2e-4)
    rows, plain_rows = ((r.folder / "history.csv").read_text().splitlines()[1:] for r in (run, plain_run))
    for row, other in zip(rows, plain_rows, strict=True):
        numbers, others = (np.array([float(v) for v in line.split(",")[3:6]]) for line in (row, other))
        assert np.allclose(numbers, others, atol=1e-2)


def test_features_are_read_again_and_computed_again_to_the_last_bit(small: Any) -> None:
    training = small()
    network = training.network()
    first = training.phase_data(network)
    assert "computed in" in training.ears.notes[-1] and str(training.folder) in training.ears.notes[-1]
    again = training.phase_data(training.network())
    assert "read from" in training.ears.notes[-1]
    shutil.rmtree(training.folder)
    anew = training.phase_data(network)
    assert "computed in" in training.ears.notes[-1]
    for found in (again, anew):
        for split in ("training", "validation"):
            assert np.array_equal(getattr(found, split).inputs["image"], getattr(first, split).inputs["image"])


def test_other_weights_are_other_features(small: Any) -> None:
    training = small()
    network = training.network()
    first = training.phase_data(network).training.inputs["image"]
    layer = next(layer for layer in network.layers if layer.name.endswith("batch_normalization"))
    layer.set_weights([array + 0.5 for array in layer.get_weights()])
    assert not np.allclose(first, training.phase_data(network).training.inputs["image"])
    assert "computed in" in training.ears.notes[-1]


def test_a_damaged_file_is_computed_anew(small: Any) -> None:
    training = small()
    network = training.network()
    first = training.phase_data(network).training.inputs["image"]
    for file in cache.cache_folder(training.folder).glob("*.npy"):
        file.write_bytes(file.read_bytes()[:500])
    assert np.array_equal(first, training.phase_data(network).training.inputs["image"])
    assert "computed in" in training.ears.notes[-1]


def test_augmented_examples_are_trained_plainly_unless_views_are_asked_for(small: Any) -> None:
    training = small(MOVES)
    network = training.network()
    part = training.phase_data(network)
    assert part.augmentation == training.loaded.recipe.data.augmentation
    assert part.training is training.data.splits["training"] and part.graph == training.graph
    assert "cached_views" in training.ears.notes[-1]
    assert not training.folder.exists()
    mixing = small("data.augmentation=[mix_up]")
    mixing.phase_data(mixing.network())
    assert "runs the whole network" in mixing.ears.notes[-1] and "cached_views" not in mixing.ears.notes[-1]


def test_views_are_changed_copies_that_take_turns(small: Any) -> None:
    training = small(MOVES, VIEWS)
    network = training.network()
    part = training.phase_data(network)
    features, count = part.training.inputs["image"], len(part.training)
    assert part.views == 3 and not part.augmentation and len(features) == 3 * count
    first, second, third = (features[view * count : (view + 1) * count] for view in range(3))
    assert not any(np.allclose(a, b) for a, b in ((first, second), (first, third), (second, third)))
    plain = outputs(network, training.data.splits["validation"].inputs["image"])
    assert np.allclose(outputs(part.model, part.validation.inputs["image"]), plain, atol=1e-6)
    (batch,) = training_batches(part.training, count, 0, 1, 2, views=part.views).as_numpy_iterator()
    assert sorted(map(bytes, batch[0])) == sorted(map(bytes, second))
    shutil.rmtree(training.folder)
    assert np.array_equal(features, training.phase_data(training.network()).training.inputs["image"])


def test_random_layers_before_the_cut_rest_while_the_whole_is_trained(small: Any) -> None:
    training = small(MOVES)
    part = training.phase_data(training.network())
    images = training.data.splits["training"].inputs["image"][:8].astype("float32")
    first, second = (np.asarray(part.model(images, training=True)) for _ in range(2))
    assert np.array_equal(first, second)


def test_what_cannot_be_kept_is_trained_plainly(small: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    training = small()
    network = training.network()
    training.folder.write_text("in the way")
    assert training.phase_data(network).graph == training.graph
    assert "cannot be kept" in training.ears.notes[-1]
    monkeypatch.setattr(type(training.loaded.recipe.task), "answer", lambda *a: Task.answer(*a))
    assert training.phase_data(network).graph == training.graph
    assert "the task trains more than its network" in training.ears.notes[-1]


def test_a_phase_that_freezes_nothing_is_told_nothing(small: Any) -> None:
    training = small("training.phases.rest.freeze=none")
    network = training.network()
    assert training.phase_data(network, 1).model is network
    assert training.ears.notes == []


def test_ctrl_c_ends_the_computation_and_leaves_nothing_half_written(small: Any) -> None:
    training = small()
    asked: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        training.phase_data(training.network(), interrupted=lambda: bool(asked.append(0)) or len(asked) > 1)
    assert len(asked) == 2
    assert list(cache.cache_folder(training.folder).iterdir()) == []


def test_features_not_used_for_longest_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        file = tmp_path / f"{str(number) * 32}.npy"
        file.write_bytes(bytes(100))
        os.utime(file, (number, number))
    abandoned, written = tmp_path / ".writing-1-x.npy", tmp_path / ".writing-2-y.npy"
    abandoned.write_bytes(bytes(100))
    os.utime(abandoned, (0, 0))
    written.write_bytes(bytes(100))
    monkeypatch.setattr(cache, "BUDGET", 450)
    assert cache.make_room(tmp_path, {"0" * 64: 100, "9" * 64: 50}) == 2
    names = [written.name, f"{'0' * 32}.npy", f"{'2' * 32}.npy", f"{'3' * 32}.npy"]
    assert sorted(file.name for file in tmp_path.iterdir()) == names
