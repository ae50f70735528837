"""Files whose name says another format than their content."""

from __future__ import annotations

from collections.abc import Iterator

from cnnpipe.diagnosis import Finding, counted
from cnnpipe.examination import Examination

IN_EVERY_RUN = False
EXTENSIONS = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "MPO": (".jpg", ".jpeg", ".mpo"),
    "PNG": (".png", ".apng"),
    "BMP": (".bmp", ".dib"),
    "GIF": (".gif",),
    "WEBP": (".webp",),
}


def findings(data: Examination) -> Iterator[Finding]:
    """Return one note for all of them: content decides here, but not in every program."""
    wrong = [
        f"{example.shown} ({picture.format})"
        for example, picture in data.pictures
        if example.file and example.file.suffix.lower() not in EXTENSIONS.get(picture.format, ("",))
    ]
    if wrong:
        yield Finding(
            "note",
            f"{counted(len(wrong), 'file')} with an extension of another format",
            len(wrong),
            tuple(wrong),
            "They are read by their content. Other programs go by the name: rename them.",
        )
