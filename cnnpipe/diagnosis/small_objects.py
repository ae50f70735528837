"""Objects that are hardly seen, or not at all, at the size that the model sees."""

from __future__ import annotations

from collections.abc import Iterator

from cnnpipe.diagnosis import Finding, counted
from cnnpipe.examination import Examination

IN_EVERY_RUN = False
FEWEST = 4
"""Pixels of the network's input below which the shorter side of an object is small: no network finds such objects well
(COCO's own "small" begins below 32)."""


def findings(data: Examination) -> Iterator[Finding]:
    """Return a warning for objects that are too small, and one for those that cropping takes away."""
    if not data.objects:
        return
    height, width = data.recipe.data.preprocessing.input_shape()[:2]
    small, lost, count, all_lost = [], [], 0, 0
    for example, objects in data.objects:
        sides = objects.placed[:, 2:] - objects.placed[:, :2]
        number = int((sides.min(1, initial=float("inf")) < FEWEST).sum())
        missing = len(objects.boxes) - len(objects.placed)
        count, all_lost = count + number, all_lost + missing
        small += [f"{example.shown} ({number})"] * bool(number)
        lost += [f"{example.shown} ({missing})"] * bool(missing)
    total = sum(len(objects.boxes) for _, objects in data.objects)
    if small:
        yield Finding(
            "warning",
            f"{count:,} of {total:,} objects are less than {FEWEST} pixels wide or high in the {width}x{height} that "
            "the model sees",
            count,
            tuple(small),
            "A larger image_size lets them be found; or leave them out of the annotations.",
        )
    if lost:
        yield Finding(
            "warning",
            f"{counted(all_lost, 'object')} of {total:,} vanish, as the picture is cut or shrunk to {width}x{height}",
            all_lost,
            tuple(lost),
            "Set preprocessing.resize: pad or stretch, or a larger image_size, so that they can be found.",
        )
