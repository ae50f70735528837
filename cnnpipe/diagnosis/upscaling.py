"""Pictures smaller than what the model sees."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from cnnpipe.diagnosis import Finding
from cnnpipe.examination import Examination

IN_EVERY_RUN = False
SLIGHT = 1.05
"""Up to which factor enlarging is not worth a word."""


def findings(data: Examination) -> Iterator[Finding]:
    """Return one note that says how many, and by how much they are enlarged."""
    height, width = data.recipe.data.preprocessing.input_shape()[:2] if data.pictures else (1, 1)
    factors = {
        f"{example.shown} ({picture.size})": min(width / picture.width, height / picture.height)
        for example, picture in data.pictures
    }
    small = {name: factor for name, factor in factors.items() if factor > SLIGHT}
    if small:
        usual = median(small.values())
        yield Finding(
            "note",
            f"{len(small):,} of {len(factors):,} pictures are smaller than the {width}x{height} that the model sees, "
            f"and are enlarged {usual:.2g} times in the median",
            len(small),
            tuple(sorted(small, key=small.__getitem__, reverse=True)),
            "That adds computation and no detail. A smaller image_size is faster, unless the network needs the room.",
            {"median_factor": round(usual, 3), "largest_factor": round(max(small.values()), 3)},
        )
