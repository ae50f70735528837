"""A training batch is a pure function of seed and step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnpipe.augmentations import Augmentation
from cnnpipe.augmentations.random_rotation import RandomRotation
from cnnpipe.augmentations.random_translation import RandomTranslation
from cnnpipe.batches import plain_batches, training_batches, view_batches
from cnnpipe.data import SplitData

Batches = list[tuple[Any, Any]]
MOVES = (RandomTranslation(height_factor=0.2, width_factor=0.2), RandomRotation(factor=0.1))


def split(count: int = 10, *, targets: tuple[str, ...] = ("probabilities",)) -> SplitData:
    """Return examples whose first pixel and target are their number."""
    images = np.random.default_rng(0).integers(0, 256, (count, 8, 8, 1), dtype=np.uint8)
    images[:, 0, 0, 0] = np.arange(count) % 256
    numbers = np.arange(count, dtype=np.int32)
    names = tuple(map(str, range(count)))
    return SplitData(names, (None,) * count, {"image": images}, {name: numbers for name in targets})


def taken(data: SplitData, start: int, stop: int, size: int = 4, seed: int = 0, moves: Any = ()) -> Batches:
    augmentation: tuple[Augmentation, ...] = tuple(moves)
    return [(x.numpy(), y.numpy()) for x, y in training_batches(data, size, seed, start, stop, augmentation)]


def equal(first: Batches, second: Batches) -> bool:
    return len(first) == len(second) and all(
        np.array_equal(a[0], b[0]) and np.array_equal(a[1], b[1]) for a, b in zip(first, second, strict=True)
    )


def test_each_epoch_shows_every_example_once_in_another_order() -> None:
    numbers = np.concatenate([y for _, y in taken(split(10), 0, 10)])
    epochs = numbers.reshape(4, 10)
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4


def test_orders_do_not_resemble_the_data_or_each_other() -> None:
    """Correlations are those of chance: about 1 / sqrt(n) = 0.05, and not four times as much in any of 12 epochs."""
    numbers = np.concatenate([y for _, y in taken(split(400), 0, 12, size=400)])
    orders = [np.arange(400), *numbers.reshape(12, 400)]
    correlations = np.abs(np.corrcoef(orders))[np.triu_indices(13, 1)]
    assert correlations.max() < 0.2
    assert correlations.mean() < 0.06


def test_neighbours_in_an_order_do_not_depend_on_each_other() -> None:
    """Of large data too: chance is 1 / sqrt(60,000) = 0.004."""
    numbers = np.arange(60_000)
    images = np.zeros((60_000, 1, 1, 1), np.uint8)
    data = SplitData(tuple(map(str, numbers)), (None,) * 60_000, {"image": images}, {"probabilities": numbers})
    for _, order in taken(data, 0, 3, size=60_000):
        assert abs(np.corrcoef(order[1:], order[:-1])[0, 1]) < 0.02


def test_inputs_and_targets_belong_together_and_are_float_pixels() -> None:
    for x, y in taken(split(50), 0, 20):
        assert x.dtype == np.float32 and x.shape == (4, 8, 8, 1)
        assert x[:, 0, 0, 0].tolist() == y.tolist()


@pytest.mark.parametrize("moves", [(), MOVES], ids=["plain", "augmented"])
def test_a_run_that_goes_on_sees_what_it_would_have_seen(moves: Any) -> None:
    whole = taken(split(), 0, 30, moves=moves)
    assert equal(whole[17:], taken(split(), 17, 30, moves=moves))
    assert not equal(whole, taken(split(), 0, 30, seed=1, moves=moves))


@pytest.mark.parametrize("moves", [(), MOVES], ids=["plain", "augmented"])
def test_parts_of_a_batch_are_the_whole_batch(moves: Any) -> None:
    data, whole = split(), taken(split(), 0, 5, size=6, moves=moves)
    parts = [list(training_batches(data, 6, 0, 0, 5, moves, part=(number, 3))) for number in range(3)]
    assert all(len(y) == 2 for part in parts for _, y in part)
    joined = [tuple(np.concatenate(arrays) for arrays in zip(*step, strict=True)) for step in zip(*parts, strict=True)]
    assert equal(joined, whole)


def test_augmentations_change_each_step_and_leave_targets_alone() -> None:
    data = split(1)
    plain, moved = taken(data, 0, 6, size=1), taken(data, 0, 6, size=1, moves=MOVES)
    pictures = [x.tobytes() for x, _ in moved]
    assert len(set(pictures)) == 6 and plain[0][0].tobytes() not in pictures
    assert equal([(y, y) for _, y in plain], [(y, y) for _, y in moved])


def test_large_seeds_differ() -> None:
    seeds = [0, 1, 2**31, 2**32, 2**40, 2**62]
    orders = {tuple(np.concatenate([y for _, y in taken(split(), 0, 5, seed=seed)])) for seed in seeds}
    assert len(orders) == len(seeds)


def test_a_batch_may_be_larger_than_the_data() -> None:
    ((_, numbers),) = taken(split(3), 0, 1, size=7)
    assert sorted(numbers[:3]) == sorted(numbers[3:6]) == [0, 1, 2]


@pytest.mark.parametrize("offset", [0, 3], ids=["used in place", "copied row by row"])
def test_arrays_on_disk_give_the_same_batches(tmp_path: Path, offset: int) -> None:
    data = split()
    images = np.memmap(tmp_path / "images", np.uint8, "w+", offset=offset, shape=(10, 8, 8, 1))
    images[:] = data.inputs["image"]
    on_disk = SplitData(data.names, data.files, {"image": images}, data.targets)
    assert equal(taken(data, 0, 9, moves=MOVES), taken(on_disk, 0, 9, moves=MOVES))
    assert training_batches(on_disk, 4, 0, 0, 2).element_spec[0].shape == (4, 8, 8, 1)
    (x, _), *_ = plain_batches(on_disk, 4)
    assert x.numpy().tolist() == data.inputs["image"][:4].tolist()


def test_pixels_are_used_where_they_are() -> None:
    memory = np.zeros(10 * 64 + 64, np.uint8)
    images = memory[-memory.ctypes.data % 64 :][:640].reshape(10, 8, 8, 1)
    data = split()
    batches = plain_batches(SplitData(data.names, data.files, {"image": images}, data.targets), 10)
    images[:] = 7
    ((x, _),) = batches
    assert x.numpy().min() == 7


def test_several_targets_come_by_name() -> None:
    (_, targets), *_ = training_batches(split(targets=("boxes", "classes")), 4, 0, 0, 1)
    assert set(targets) == {"boxes", "classes"}


def test_plain_batches_are_all_examples_in_order() -> None:
    batches = list(plain_batches(split(), 4))
    assert [len(x) for x, _ in batches] == [4, 4, 2]
    assert np.concatenate([y for _, y in batches]).tolist() == list(range(10))
    assert batches[0][0].dtype == "float32"


def test_views_take_turns_by_epoch() -> None:
    """An epoch shows every example once, all of one view; epochs that share a view differ in order alone."""
    plain = split(10)
    images = np.concatenate([plain.inputs["image"], plain.inputs["image"] + 100, plain.inputs["image"] + 200])
    data = SplitData(plain.names, plain.files, {"image": images}, plain.targets)
    batches = list(training_batches(data, 5, 0, 0, 8, views=3))
    for epoch in range(4):
        x, y = (
            np.concatenate([batch[part].numpy() for batch in batches[2 * epoch : 2 * epoch + 2]]) for part in (0, 1)
        )
        assert sorted(y) == list(range(10))
        assert x[:, 0, 0, 0].tolist() == (y + 100 * (epoch % 3)).tolist()
    assert equal(taken(plain, 0, 8), [(x.numpy(), y.numpy()) for x, y in training_batches(plain, 4, 0, 0, 8, views=1)])


def test_a_view_is_a_pure_function_of_seed_and_number() -> None:
    data = split(10)

    def view(number: int, seed: int = 0) -> np.ndarray:
        return np.concatenate([x.numpy() for x, _ in view_batches(data, 4, seed, number, MOVES)])

    first = view(0)
    assert first.shape == data.inputs["image"].shape
    assert np.array_equal(first, view(0))
    others = [view(1), view(2), view(0, seed=1), np.concatenate([x for x, _ in taken(data, 0, 3, moves=MOVES)])[:10]]
    assert not any(np.array_equal(first, other) for other in others)
