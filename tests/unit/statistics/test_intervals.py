"""Intervals against published numbers, and against what they promise: to hold the truth 95 times of 100."""

import numpy as np
import pytest

from cnnpipe.statistics import bootstrap, paired_shares, wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [  # Newcombe 1998, Statistics in Medicine 17, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_values(successes, n, low, high):
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_of_all_and_of_none():
    assert wilson(10, 10)[1] == 1.0
    assert wilson(0, 10)[0] == 0.0
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("better", "worse", "n"), [(0.02, 0.02, 20), (0.1, 0.05, 50), (0.3, 0.1, 150)])
def test_paired_shares_cover_the_truth(better, worse, n):
    counts = np.random.default_rng(4).multinomial(n, (better, worse, 1 - better - worse), 2000)
    ends = [paired_shares(int(won), int(lost), n) for won, lost, _ in counts]
    assert np.mean([low <= better - worse <= high for low, high in ends]) >= 0.94


def test_paired_shares_that_agree_leave_room_for_others_that_do_not():
    low, high = paired_shares(0, 0, 49)
    assert low == -high
    assert 0.03 < high < wilson(0, 49)[1]
    assert paired_shares(0, 0, 0) == (-1.0, 1.0)


def test_bootstrap_of_a_mean_is_near_the_textbook_interval():
    values = np.random.default_rng(1).normal(5, 2, 400)
    low, high = bootstrap(values[:, None], lambda sums: sums[:, 0] / 400)
    half = 1.96 * values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.05)


def test_bootstrap_covers_the_truth():
    random = np.random.default_rng(2)
    covered = 0
    for seed in range(200):
        low, high = bootstrap(random.exponential(1, (80, 1)), lambda sums: sums[:, 0] / 80, seed)
        covered += low <= 1 <= high
    assert 0.88 <= covered / 200 <= 0.98


def test_bootstrap_is_seeded_and_says_nothing_of_one_example():
    values = np.arange(20.0)[:, None]
    assert bootstrap(values, lambda sums: sums[:, 0]) == bootstrap(values, lambda sums: sums[:, 0])
    assert bootstrap(values, lambda sums: sums[:, 0]) != bootstrap(values, lambda sums: sums[:, 0], seed=1)
    assert bootstrap(values[:1], lambda sums: sums[:, 0]) is None


def test_bootstrap_in_pieces_keeps_memory_small(monkeypatch):
    monkeypatch.setattr("cnnpipe.statistics.CHUNK_BYTES", 8 * 50 * 7)
    seen = []

    def statistic(sums):
        seen.append(len(sums))
        return sums[:, 0]

    bootstrap(np.ones((50, 1)), statistic)
    assert max(seen) == 7
    assert sum(seen) == 1000
