"""What making every picture the same shape does to them: distorted, cut, or filled up."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from cnnpipe.diagnosis import Finding
from cnnpipe.examination import Examination

IN_EVERY_RUN = False
SLIGHT = 1.1
"""Up to which ratio of the two shapes nobody sees a difference."""
STRONG, SHARE = 2.0, 0.1
"""Distortion by this factor, of at least this share of pictures, is a warning."""
EFFECTS = {
    "stretch": "are distorted by resize: stretch",
    "crop": "lose a part by resize: crop",
    "pad": "are filled up by resize: pad",
}
HINT = "Look at the contact sheet. The choices are resize: stretch, crop or pad, or an image_size of another shape."


def findings(data: Examination) -> Iterator[Finding]:
    """Return one finding: how many pictures have another shape than the model's input, and how far it is off."""
    resize = getattr(data.recipe.data.preprocessing, "resize", None)
    if not data.pictures or resize not in EFFECTS:
        return
    height, width = data.recipe.data.preprocessing.input_shape()[:2]
    factors = {}
    for example, picture in data.pictures:
        ratio = picture.width / picture.height * height / width
        factors[f"{example.shown} ({picture.size})"] = max(ratio, 1 / ratio)
    other = {name: factor for name, factor in factors.items() if factor > SLIGHT}
    if not other:
        return
    strong = sum(factor >= STRONG for factor in other.values())
    usual, most = median(factors.values()), max(factors.values())
    yield Finding(
        "warning" if strong >= SHARE * len(factors) else "note",
        f"{len(other):,} of {len(factors):,} pictures {EFFECTS[resize]}: their shape is off by a factor of {usual:.2f} "
        f"in the median, {most:.2f} at most",
        len(other),
        tuple(sorted(other, key=other.__getitem__, reverse=True)),
        HINT,
        {"median_factor": round(usual, 3), "largest_factor": round(most, 3), f"from_{STRONG:g}_on": strong},
    )
