"""Answers for tiles, put together again."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from cnnpipe.tiling import OVERLAP, answer_in_tiles, starts

SIZES = [(8, 8), (5, 30), (33, 17), (64, 64), (3, 3)]


@pytest.mark.parametrize("length", [1, 8, 9, 14, 15, 100, 101])
def test_tiles_cover_a_side_and_overlap(length: int) -> None:
    found = starts(length, 8)
    assert found[0] == 0
    assert found[-1] == max(0, length - 8)
    assert all(second - first <= 8 * (1 - OVERLAP) + 1 for first, second in itertools.pairwise(found))


@pytest.mark.parametrize("size", SIZES)
def test_an_answer_for_each_pixel_by_itself_is_the_same_in_tiles(size: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    calls: list[int] = []

    def answer(tiles: np.ndarray) -> dict[str, np.ndarray]:
        calls.append(len(tiles))
        assert tiles.shape[1:] == (8, 8, 3)
        return {"values": tiles.astype(np.float32) / 255, "sums": tiles.sum(-1).astype(np.float32)}

    found = answer_in_tiles(picture, (8, 8), answer)
    assert np.allclose(found["values"], picture / 255, atol=1e-6)
    assert np.allclose(found["sums"], picture.sum(-1), rtol=1e-5)
    assert max(calls) <= 16


def test_the_middle_of_a_tile_counts_more_than_its_edge() -> None:
    picture = np.zeros((8, 14, 1), np.uint8)
    number = iter(range(2))

    def answer(tiles: np.ndarray) -> dict[str, np.ndarray]:
        return {"tile": np.stack([np.full((8, 8), next(number), np.float32) for _ in tiles])}

    row = answer_in_tiles(picture, (8, 8), answer)["tile"][4]
    assert row[0] == 0 and row[-1] == 1
    assert 0 < row[6] < 0.5 + 1e-6 < row[7] + 1e-6 < 1


def test_of_choices_the_tile_decides_in_whose_middle_a_pixel_stands() -> None:
    picture = np.zeros((8, 14, 1), np.uint8)
    number = iter((1, 3))

    def answer(tiles: np.ndarray) -> dict[str, np.ndarray]:
        return {"tile": np.stack([np.full((8, 8, 1), next(number), np.float32) for _ in tiles])}

    found = answer_in_tiles(picture, (8, 8), answer, ["tile"])["tile"]
    assert set(found[3, :7].ravel()) == {1}
    assert set(found[3, 7:].ravel()) == {3}
