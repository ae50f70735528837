"""What the source left out: hidden files and folders, files beside the classes."""

from __future__ import annotations

from collections.abc import Iterator

from cnnpipe.diagnosis import Finding
from cnnpipe.examination import Examination

IN_EVERY_RUN = False


def findings(data: Examination) -> Iterator[Finding]:
    """Return a note for each sentence of the source."""
    for note in data.notes:
        yield Finding("note", f"the source says: {note.rstrip('.')}", 1)
