"""Pictures in which nothing is marked."""

from __future__ import annotations

from collections.abc import Iterator

from cnnpipe.diagnosis import Finding, counted, shown
from cnnpipe.examination import Examination

IN_EVERY_RUN = False


def findings(data: Examination) -> Iterator[Finding]:
    """Return one note for all of them: nobody can tell a picture without objects from one that was forgotten."""
    marked = [example for example in data.examples if example.truth is not None]
    empty = [example for example in marked if not example.labels]
    if empty:
        yield Finding(
            "note",
            f"{counted(len(empty), 'picture')} of {len(marked):,} without any object",
            len(empty),
            shown(empty),
            "They teach what is no object, if that is true. Look whether somebody forgot to mark them.",
        )
