"""Pictures with more than 8 bits a colour value."""

from __future__ import annotations

from collections.abc import Iterator

from cnnpipe.diagnosis import Finding, counted
from cnnpipe.examination import Examination

IN_EVERY_RUN = False


def findings(data: Examination) -> Iterator[Finding]:
    """Return one note for all of them."""
    deep = [(example, picture) for example, picture in data.pictures if picture.depth > 8]
    if deep:
        yield Finding(
            "note",
            f"{counted(len(deep), 'picture')} with more than 8 bits a value",
            len(deep),
            tuple(f"{example.shown} ({picture.mode}, {picture.depth} bits)" for example, picture in deep),
            "They are brought to 8 bits, the full range to 0..255. If they only use a small part of it (a camera of 12 "
            "bits), they come out dark: look at the contact sheet, and stretch them yourself before.",
        )
