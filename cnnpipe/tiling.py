"""Large pictures as overlapping tiles, and the answers for the tiles as one answer again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
    picture: np.ndarray, tile: tuple[int, int], answer: Callable[[np.ndarray], dict[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Return the outputs for a whole picture, `(height, width, …)` each, from those for its tiles.

    Where tiles overlap their answers are averaged; the nearer to the middle of its tile, the more a pixel counts.

    Args:
        picture: uint8, `(height, width, channels)`; a side that is shorter than a tile is continued by its last pixel.
        tile: Height and width of a tile.
        answer: Takes tiles, `(n, *tile, channels)`, and returns outputs by name, `(n, *tile, …)`.
    """
    import numpy as np

    size = picture.shape[:2]
    padding = [(0, max(0, side - length)) for side, length in zip(tile, size, strict=True)]
    whole = np.pad(picture, [*padding, (0, 0)], mode="edge")
    corners = [(top, left) for top in starts(whole.shape[0], tile[0]) for left in starts(whole.shape[1], tile[1])]
    weight = np.minimum.outer(_ramp(tile[0]), _ramp(tile[1])).astype(np.float32)
    total = np.zeros(whole.shape[:2], np.float32)
    sums: dict[str, np.ndarray] = {}
    for part in _parts(corners):
        found = answer(np.stack([whole[top : top + tile[0], left : left + tile[1]] for top, left in part]))
        for name, values in found.items():
            sums.setdefault(name, np.zeros((*whole.shape[:2], *values.shape[3:]), np.float32))
            for (top, left), value in zip(part, values, strict=True):
                shaped = weight.reshape(*tile, *(1,) * (value.ndim - 2))
                sums[name][top : top + tile[0], left : left + tile[1]] += value * shaped
        for top, left in part:
            total[top : top + tile[0], left : left + tile[1]] += weight
    cut = (slice(size[0]), slice(size[1]))
    return {
        name: (values / total.reshape(*total.shape, *(1,) * (values.ndim - 2)))[cut] for name, values in sums.items()
    }


def _ramp(length: int) -> np.ndarray:
    """Return how much each pixel of a side counts: most in the middle, least at the ends, never nothing."""
    import numpy as np

    steps = np.arange(1, length + 1)
    ramp: np.ndarray = np.minimum(steps, steps[::-1])
    return ramp


def _parts(corners: Sequence[tuple[int, int]]) -> Iterator[Sequence[tuple[int, int]]]:
    for start in range(0, len(corners), AT_ONCE):
        yield corners[start : start + AT_ONCE]
