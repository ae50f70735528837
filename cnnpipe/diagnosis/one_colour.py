"""Pictures that show nothing: all pixels have the same colour."""

from __future__ import annotations

from collections.abc import Iterator

from cnnpipe.diagnosis import Finding, counted
from cnnpipe.examination import Examination

IN_EVERY_RUN = False
SPREAD = 3
"""Largest difference of values in one channel of a thumbnail, in levels of 0..255, that still is one colour."""


def findings(data: Examination) -> Iterator[Finding]:
    """Return one warning for all of them."""
    import numpy as np

    empty = []
    for example, picture in data.pictures:
        pixels = np.frombuffer(picture.thumbnail, np.uint8).reshape(-1, 3)
        if int(np.ptp(pixels, axis=0).max()) <= SPREAD:
            empty.append(f"{example.shown} (red, green, blue {', '.join(map(str, pixels[0].tolist()))})")
    if empty:
        yield Finding(
            "warning",
            f"{counted(len(empty), 'picture')} of a single colour",
            len(empty),
            tuple(empty),
            "They show nothing of their class: remove them, unless nothing is what the class is.",
        )
