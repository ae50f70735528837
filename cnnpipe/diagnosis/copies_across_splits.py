"""Exact copies in several splits: leakage, which makes scores too good."""

from __future__ import annotations

from collections.abc import Iterator

from cnnpipe.datasets import SPLITS
from cnnpipe.diagnosis import Finding
from cnnpipe.diagnosis._copies import exact_copies, leaked, told
from cnnpipe.examination import Examination

IN_EVERY_RUN = False


def findings(data: Examination) -> Iterator[Finding]:
    """Return one warning for all of them. Only the source's own splits, or groups, can bring them about."""
    groups = [group for group in exact_copies(data) if leaked(group)]
    if not groups:
        return
    held_out = [example for group in groups for example in leaked(group)]
    numbers: dict[str, int] = {split: sum(example.split == split for example in held_out) for split in SPLITS[1:]}
    parts = " and ".join(f"{number:,} {split}" for split, number in numbers.items() if number)
    yield Finding(
        "warning",
        f"leakage: exact copies of {parts} {'example' if len(held_out) == 1 else 'examples'} stand in an earlier split",
        len(held_out),
        tuple(told(group, split=True) for group in groups),
        "Scores on them are too good: the model was trained on the answers. Remove them from one split, or let "
        "data.split divide the examples by content.",
        {**numbers, "groups": len(groups)},
    )
