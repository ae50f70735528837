"""Pictures in CMYK, the colours of printing."""

from __future__ import annotations

from collections.abc import Iterator

from cnnpipe.diagnosis import Finding, counted, shown
from cnnpipe.examination import Examination

IN_EVERY_RUN = False


def findings(data: Examination) -> Iterator[Finding]:
    """Return one warning for all of them."""
    printed = [example for example, picture in data.pictures if picture.mode in ("CMYK", "YCCK")]
    if printed:
        yield Finding(
            "warning",
            f"{counted(len(printed), 'picture')} in CMYK, the colours of printing",
            len(printed),
            shown(printed),
            "They are turned to RGB without their colour profile, so colours differ from those of other pictures. "
            "Convert them to RGB with a program that reads profiles.",
        )
