"""Flaws of annotations that the source worked around: boxes without area or beyond their picture, missing files."""

from __future__ import annotations

from collections.abc import Iterator

from cnnpipe.diagnosis import Finding
from cnnpipe.examination import Examination

IN_EVERY_RUN = False


def findings(data: Examination) -> Iterator[Finding]:
    """Return one warning for each kind of flaw."""
    for kind, places in data.repairs.items():
        yield Finding(
            "warning",
            f"{kind}: {len(places):,}",
            len(places),
            places,
            "Look at them: one that is wrong may not be the only one. Correct them where they stand.",
        )
