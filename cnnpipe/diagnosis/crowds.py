"""Objects that stand for groups."""

from __future__ import annotations

from collections.abc import Iterator

from cnnpipe.diagnosis import Finding, counted
from cnnpipe.examination import Examination

IN_EVERY_RUN = False


def findings(data: Examination) -> Iterator[Finding]:
    """Return one note for all of them."""
    groups = [(example, int(objects.crowd.sum())) for example, objects in data.objects if objects.crowd.any()]
    if groups:
        total = sum(number for _, number in groups)
        yield Finding(
            "note",
            f"{counted(total, 'object')} in {counted(len(groups), 'picture')} marked as crowds",
            total,
            tuple(f"{example.shown} ({number})" for example, number in groups),
            "They are not trained on, and finding or missing something there does not count in scores.",
        )
