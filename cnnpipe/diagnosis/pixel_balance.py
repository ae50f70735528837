"""Classes that cover few pixels, and pixels that count nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from cnnpipe.diagnosis import Finding, counted, in_words
from cnnpipe.examination import Examination

IN_EVERY_RUN = False
FEW, MANY = 0.01, 0.5
"""Share of all pixels below which a class is small, and from which on many are ignored."""


def findings(data: Examination) -> Iterator[Finding]:
    """Return a note for small classes and one for ignored pixels."""
    seen = [e.truth.pixels for e in data.examples if e.split == "training" and e.truth and e.truth.pixels]
    if not seen:
        return
    totals = [sum(column) for column in zip(*seen, strict=True)]
    ignored, labelled = totals[-1], sum(totals[:-1])
    names = data.source_class_names
    shares = {name: number / max(labelled, 1) for name, number in zip(names, totals[1:-1], strict=True)}
    small = {name: share for name, share in shares.items() if 0 < share < FEW}
    if small:
        told = tuple(f"'{name}' ({share:.2%})" for name, share in sorted(small.items(), key=lambda item: item[1]))
        yield Finding(
            "note",
            f"{counted(len(small), 'class covers', 'classes cover')} less than {FEW:.0%} of the training pixels: "
            + in_words(told),
            len(small),
            told,
            "A model that never says them is right nearly everywhere: look at the intersection over union of each "
            "class, and weigh the classes or choose a loss of regions, such as Dice.",
            {name: round(share, 6) for name, share in shares.items()},
        )
    if ignored >= MANY * (labelled + ignored):
        yield Finding(
            "note",
            f"{ignored / (labelled + ignored):.0%} of the training pixels are ignored",
            ignored,
            hint="Nothing is learned from them, and nothing measured. Those around pictures that are padded belong to "
            "them.",
        )
