"""Animated pictures, of which only the first frame is used."""

from __future__ import annotations

from collections.abc import Iterator

from cnnpipe.diagnosis import Finding, counted
from cnnpipe.examination import Examination

IN_EVERY_RUN = False


def findings(data: Examination) -> Iterator[Finding]:
    """Return one warning for all of them."""
    moving = [(example, picture) for example, picture in data.pictures if picture.frames > 1]
    if moving:
        yield Finding(
            "warning",
            f"{counted(len(moving), 'animated picture')}, of which only the first frame is used",
            len(moving),
            tuple(f"{example.shown} ({picture.frames} frames)" for example, picture in moving),
            "Write the frames that matter as pictures of their own; keep them in one split with data.split.group_by.",
        )
