"""95 % intervals for measured numbers."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

Interval = tuple[float, float]
Z = 1.959963984540054
"""The 97.5 % quantile of the normal distribution."""
RESAMPLES = 1000
CHUNK_BYTES = 1 << 26


def wilson(successes: float, n: int) -> Interval:
    """Return the score interval of a proportion (Wilson 1927); `(0, 1)`, which says nothing, when `n` is 0."""
    if n == 0:
        return 0.0, 1.0
    share, spread = successes / n, Z * Z / n
    centre = (share + spread / 2) / (1 + spread)
    half = Z / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    low = 0.0 if successes <= 0 else max(0.0, centre - half)  # exactly, free of rounding
    return low, 1.0 if successes >= n else min(1.0, centre + half)


def paired_shares(won: int, lost: int, n: int) -> Interval:
    """Return the interval of `(won - lost) / n`, the difference of two shares of the same examples.

    The adjusted Wald interval (Bonett and Price 2012), which has a width where nothing was won or lost, too: few
    examples that agree leave room for others that would not.

    Args:
        won: Examples that count in the second share only.
        lost: Examples that count in the first share only.
        n: All examples, those included that count in both shares or in none.
    """
    more, less = (won + 1) / (n + 2), (lost + 1) / (n + 2)
    half = Z * math.sqrt((more + less - (more - less) ** 2) / (n + 2))
    return max(-1.0, more - less - half), min(1.0, more - less + half)


def bootstrap(
    columns: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray], seed: int = 0
) -> tuple[float, float] | None:
    """Return the percentile interval of a statistic of sums over examples (Efron 1979).

    Args:
        columns: What each example adds, shape (examples, columns).
        statistic: Turns sums over resampled examples, shape (resamples, columns), into one value per resample.
        seed: Of the resampling, so that the same examples give the same interval.

    Returns:
        Lower and upper end, or None for fewer than two examples.
    """
    n = len(columns)
    if n < 2:
        return None
    random = np.random.default_rng(seed)
    at_once = max(1, min(RESAMPLES, CHUNK_BYTES // (8 * n)))
    values: list[np.ndarray] = []
    for start in range(0, RESAMPLES, at_once):
        rows = min(at_once, RESAMPLES - start)
        drawn = random.integers(0, n, (rows, n)) + np.arange(rows)[:, None] * n
        counts = np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n)
        values.append(statistic(counts.astype(float) @ columns))
    low, high = np.quantile(np.concatenate(values), (0.025, 0.975))
    return float(low), float(high)
