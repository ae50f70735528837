"""Exact copies with different labels: one of the labels is wrong."""

from __future__ import annotations

from collections.abc import Iterator

from cnnpipe.diagnosis import Finding, counted
from cnnpipe.diagnosis._copies import differently_labelled, exact_copies, told
from cnnpipe.examination import Examination

IN_EVERY_RUN = False


def findings(data: Examination) -> Iterator[Finding]:
    """Return one warning for all of them."""
    groups = differently_labelled(exact_copies(data))
    if groups:
        yield Finding(
            "warning",
            f"{counted(len(groups), 'group')} of exact copies with different labels",
            len(groups),
            tuple(told(group, label=True) for group in groups),
            "Keep each picture once, with its right label; if it shows both, the task needs several labels.",
        )
