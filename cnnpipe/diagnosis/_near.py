"""Pictures that show the same although their bytes differ: resized, compressed again, stored in another format.

Two pictures are near when the correlation of their thumbnails (16x16, red, green and blue, brightness and contrast
normalized) is at least `SAME`. Comparing normalized tiny pictures is from Torralba, Fergus and Freeman 2008, "80
million tiny images", section 3; that test sets hold such copies of training pictures, from Barz and Denzler 2020, "Do
we train on test data? Purging CIFAR of near-duplicates". Crops, mirror images and other views of the same thing are not
found.

No pair is missed, and few are compared: at unit length, near thumbnails differ by a short distance along any direction,
so only neighbours along the direction in which these pictures differ most come into question (Friedman, Baskett and
Shustek 1975, "An algorithm for finding nearest neighbors"); of these, few are near in some more directions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from cnnpipe.examination.pictures import THUMBNAIL

if TYPE_CHECKING:
    import numpy as np

    Units = Callable[[np.ndarray], np.ndarray]

SAME = 0.995
"""Correlation of thumbnails from which on they show the same. Of 397 photos, 99.7 % reach it after they were halved in
size, all after they were compressed to JPEG quality 30; other photos have at most 0.92."""
SAME_SMALL, SMALL = 0.998, 64
"""The same where the shorter sides of both pictures have fewer pixels than this: small pictures of like things are like
each other. Of 10,000 test pictures of clothing at 28x28, 20 reach 0.998 with some of 60,000 others, 250 reach 0.995."""
FLAT = 3.0
"""Standard deviation of a thumbnail, in levels of 0..255, below which it shows too little to be compared."""
SLOWEST = 6
"""Periods, in half waves over both sides together, of the cosines along which thumbnails are compared first."""
ROWS, CONFIRMED = 128, 4096
"""Thumbnails compared at once, and candidates confirmed at once."""


def near_pairs(thumbnails: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of all near pairs, shape (pairs, 2), the smaller one first, and their correlations.

    Memory is about that of the thumbnails.
    """
    import numpy as np

    if len(thumbnails) < 2:
        return np.zeros((0, 2), int), np.zeros(0)
    pixels = np.frombuffer(b"".join(thumbnails), np.uint8).reshape(len(thumbnails), -1)
    mean = np.array([row.mean() for row in pixels], np.float32)
    spread = np.array([row.std() for row in pixels], np.float32)
    length = spread * math.sqrt(pixels.shape[1])

    def units(positions: np.ndarray) -> np.ndarray:
        """Return thumbnails with mean 0 and length 1."""
        return np.asarray((pixels[positions] - mean[positions, None]) / length[positions, None])

    shows = np.flatnonzero(spread >= FLAT)
    if len(shows) < 2:
        return np.zeros((0, 2), int), np.zeros(0)
    coordinates = _coordinates(units, shows)
    order = np.argsort(coordinates[:, 0], kind="stable")
    found = [
        _confirmed(units, shows[order[first]], shows[order[second]])
        for first, second in _candidates(coordinates[order])
    ]
    pairs = np.concatenate([np.zeros((0, 2), int), *(pair for pair, _ in found)])
    closeness = np.concatenate([np.zeros(0), *(close for _, close in found)])
    sorting = np.lexsort((pairs[:, 1], pairs[:, 0]))
    return pairs[sorting], closeness[sorting]


def _coordinates(units: Units, shows: np.ndarray) -> np.ndarray:
    """Return each thumbnail along directions in which pictures differ most, the widest first."""
    import numpy as np

    directions = _directions()
    parts = np.array_split(shows, math.ceil(len(shows) / CONFIRMED))
    coordinates = np.concatenate([units(part) @ directions for part in parts])
    widest_first = np.argsort(-coordinates.var(0))
    return np.asarray(coordinates[:, widest_first])


def _directions() -> np.ndarray:
    """Return orthonormal columns: the slowest cosines of brightness, then red against green, and both against blue."""
    import numpy as np

    height, width, _ = THUMBNAIL
    slow = [(v, u) for v in range(SLOWEST + 1) for u in range(SLOWEST + 1) if 0 < v + u <= SLOWEST]
    rows, columns = ((np.arange(size) + 0.5) * math.pi / size for size in (height, width))
    waves = [np.outer(np.cos(v * rows), np.cos(u * columns))[..., None] * np.ones(3) for v, u in slow]
    colours = [np.ones((height, width, 1)) * colour for colour in ((1.0, -1.0, 0.0), (1.0, 1.0, -2.0))]
    flat = [wave.ravel() / np.linalg.norm(wave) for wave in (*waves, *colours)]
    return np.stack(flat, 1).astype(np.float32)


def _candidates(coordinates: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield pairs of rows that are not too far from each other along any direction, a few thousand at once.

    Args:
        coordinates: Sorted by their first column.
    """
    import numpy as np

    radius = math.sqrt(2 - 2 * SAME) + 1e-3  # of points at unit length; rounding included
    squares = (coordinates**2).sum(1)
    for start in range(0, len(coordinates), ROWS):
        stop = min(start + ROWS, len(coordinates))
        end = int(np.searchsorted(coordinates[:, 0], coordinates[stop - 1, 0] + radius, "right"))
        apart = squares[start:stop, None] + squares[None, start:end]
        apart -= 2 * coordinates[start:stop] @ coordinates[start:end].T
        first, second = np.nonzero(apart <= radius**2)
        ahead = second > first
        first, second = first[ahead] + start, second[ahead] + start
        for begin in range(0, len(first), CONFIRMED):
            yield first[begin : begin + CONFIRMED], second[begin : begin + CONFIRMED]


def _confirmed(units: Units, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return those pairs, the smaller position first, whose whole thumbnails agree, with their correlation."""
    import numpy as np

    closeness = np.einsum("ij,ij->i", units(first), units(second))
    near = closeness >= SAME
    return np.sort(np.stack([first, second], 1)[near], 1), closeness[near].astype(float)
