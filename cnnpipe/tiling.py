"""Large pictures as overlapping tiles, and the answers for the tiles as one answer again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

OVERLAP = 0.25
"""Share of a tile's side that it has in common with its neighbour, at least."""
AT_ONCE = 16
"""Tiles that are answered in one call."""


def starts(length: int, tile: int) -> list[int]:
    """Return where tiles begin along a side: the first at 0, the last at the end, evenly spread, overlapping."""
    if length <= tile:
        return [0]
    most = tile - int(tile * OVERLAP)
    steps = -(-(length - tile) // most)
    return [round(number * (length - tile) / steps) for number in range(steps + 1)]


def answer_in_tiles(
    picture: np.ndarray,
    tile: tuple[int, int],
    answer: Callable[[np.ndarray], dict[str, np.ndarray]],
    choices: Collection[str] = (),
) -> dict[str, np.ndarray]:
    """Return the outputs for a whole picture, `(height, width, …)` each, from those for its tiles.

    Where tiles overlap their answers are averaged; the nearer to the middle of its tile, the more a pixel counts. Of
    choices, which have no average, the tile says it in whose middle a pixel stands most.

    Args:
        picture: uint8, `(height, width, channels)`; a side that is shorter than a tile is continued by its last pixel.
        tile: Height and width of a tile.
        answer: Takes tiles, `(n, *tile, channels)`, and returns outputs by name, `(n, *tile, …)`.
        choices: Names of outputs whose values are choices, such as the number of a class.
    """
    import numpy as np

    size = picture.shape[:2]
    padding = [(0, max(0, side - length)) for side, length in zip(tile, size, strict=True)]
    whole = np.pad(picture, [*padding, (0, 0)], mode="edge")
    corners = [(top, left) for top in starts(whole.shape[0], tile[0]) for left in starts(whole.shape[1], tile[1])]
    weight = np.minimum.outer(_ramp(tile[0]), _ramp(tile[1])).astype(np.float32)
    total, most = np.zeros(whole.shape[:2], np.float32), np.zeros(whole.shape[:2], np.float32)
    sums: dict[str, np.ndarray] = {}
    for part in _parts(corners):
        found = answer(np.stack([whole[top : top + tile[0], left : left + tile[1]] for top, left in part]))
        for name, values in found.items():
            sums.setdefault(name, np.zeros((*whole.shape[:2], *values.shape[3:]), np.float32))
        for number, (top, left) in enumerate(part):
            here = np.s_[top : top + tile[0], left : left + tile[1]]
            nearer = weight > most[here]
            for name, values in found.items():
                if name in choices:
                    sums[name][here][nearer] = values[number][nearer]
                else:
                    sums[name][here] += values[number] * _shaped(weight, values.ndim - 1)
            total[here] += weight
            most[here] = np.maximum(most[here], weight)
    cut = (slice(size[0]), slice(size[1]))
    return {
        name: (values if name in choices else values / _shaped(total, values.ndim))[cut]
        for name, values in sums.items()
    }


def _shaped(weights: np.ndarray, axes: int) -> np.ndarray:
    """Return weights of pixels with as many axes as what they belong to."""
    return weights.reshape(*weights.shape, *(1,) * (axes - 2))


def _ramp(length: int) -> np.ndarray:
    """Return how much each pixel of a side counts: most in the middle, least at the ends, never nothing."""
    import numpy as np

    steps = np.arange(1, length + 1)
    ramp: np.ndarray = np.minimum(steps, steps[::-1])
    return ramp


def _parts(corners: Sequence[tuple[int, int]]) -> Iterator[Sequence[tuple[int, int]]]:
    for start in range(0, len(corners), AT_ONCE):
        yield corners[start : start + AT_ONCE]
