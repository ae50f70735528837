"""Exact copies within one split: less data than it seems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cnnpipe.datasets import SPLITS
from cnnpipe.diagnosis import Finding
from cnnpipe.diagnosis._copies import exact_copies, told
from cnnpipe.examination import Examination

IN_EVERY_RUN = True
SHARE = 0.05
"""From which share of superfluous examples in a split on they are a warning."""


def findings(data: Examination) -> Iterator[Finding]:
    """Return one finding for each split that has some."""
    sizes = Counter(example.split for example in data.examples)
    for split in SPLITS:
        groups = [[example for example in group if example.split == split] for group in exact_copies(data)]
        groups = [group for group in groups if len(group) > 1]
        more = sum(len(group) - 1 for group in groups)
        if more:
            yield Finding(
                "warning" if more >= SHARE * sizes[split] else "note",
                f"{more:,} of {sizes[split]:,} {split} examples are exact copies of others there",
                more,
                tuple(told(group) for group in groups),
                "They count several times. Remove all but one.",
            )
