"""Gray pictures where the model sees colours, and coloured ones where it sees gray."""

from __future__ import annotations

from collections.abc import Iterator

from cnnpipe.diagnosis import Finding, shown
from cnnpipe.diagnosis._colours import is_gray
from cnnpipe.examination import Examination

IN_EVERY_RUN = False


def findings(data: Examination) -> Iterator[Finding]:
    """Return one note at most."""
    mode = getattr(data.recipe.data.preprocessing, "color_mode", None)
    if not data.pictures or mode is None:
        return
    gray = [example for example, picture in data.pictures if is_gray(picture)]
    coloured = len(data.pictures) - len(gray)
    if mode == "rgb" and gray:
        yield Finding(
            "note",
            f"{len(gray):,} of {len(data.pictures):,} pictures are gray, and the model sees three channels",
            len(gray),
            shown(gray),
            "Gray pictures among coloured ones are no harm if every class has some."
            if coloured
            else "Set data.preprocessing.color_mode: grayscale: a third of the input, and nothing is lost.",
        )
    elif mode == "grayscale" and coloured:
        yield Finding(
            "note",
            f"{coloured:,} of {len(data.pictures):,} pictures have colours, which color_mode: grayscale takes from the "
            "model",
            coloured,
            hint="Set data.preprocessing.color_mode: rgb if colour tells classes apart.",
        )
