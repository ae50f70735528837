"""Pictures that are much smaller than the others, or so large that reading them takes long."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from cnnpipe.diagnosis import Finding, counted
from cnnpipe.examination import Examination

IN_EVERY_RUN = False
TINY = 0.25
"""Below which part of the median shorter side a picture is tiny, if it is smaller than the model's input too."""
HUGE = 50_000_000
"""From how many pixels on a picture is huge."""


def findings(data: Examination) -> Iterator[Finding]:
    """Return a warning for tiny pictures, such as icons and thumbnails, and a note for huge ones."""
    if not data.pictures:
        return
    wanted = min(data.recipe.data.preprocessing.input_shape()[:2])
    usual = median(min(picture.width, picture.height) for _, picture in data.pictures)
    tiny = [
        f"{example.shown} ({picture.size})"
        for example, picture in data.pictures
        if min(picture.width, picture.height) < min(TINY * usual, wanted)
    ]
    huge = [f"{e.shown} ({picture.size})" for e, picture in data.pictures if picture.width * picture.height >= HUGE]
    if tiny:
        yield Finding(
            "warning",
            f"{counted(len(tiny), 'picture')} much smaller than the others, whose shorter side is {usual:.0f} pixels "
            "in the median",
            len(tiny),
            tuple(tiny),
            "Look at them: icons and thumbnails often slip in. Remove what a person could not tell either.",
        )
    if huge:
        yield Finding(
            "note",
            f"{counted(len(huge), 'picture')} of {HUGE / 1e6:.0f} megapixels or more",
            len(huge),
            tuple(huge),
            "Reading them takes long, and the model sees none of their detail: store them smaller.",
        )
