"""Pictures that EXIF data turns or mirrors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cnnpipe.diagnosis import Finding, counted
from cnnpipe.examination import Examination

IN_EVERY_RUN = False
MEANING = {
    2: "mirrored", 3: "upside down", 4: "mirrored, upside down", 5: "mirrored, on its side", 6: "on its side",
    7: "mirrored, on its side", 8: "on its side",
}  # fmt: skip


def findings(data: Examination) -> Iterator[Finding]:
    """Return one note for all of them: they are set upright here, and must be on the device."""
    turned = [(example, picture) for example, picture in data.pictures if picture.orientation in MEANING]
    if turned:
        numbers = Counter(MEANING[picture.orientation] for _, picture in turned)
        yield Finding(
            "note",
            f"{counted(len(turned), 'picture')} stored turned or mirrored, with EXIF data that says so",
            len(turned),
            tuple(f"{example.shown} (stored {MEANING[picture.orientation]})" for example, picture in turned),
            "They are set upright, here and in predict. A program of yours that feeds the model must do so too.",
            dict(numbers),
        )
