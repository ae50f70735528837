"""Classes with so few examples that they are hardly learned, or hardly measured."""

from __future__ import annotations

from collections.abc import Iterator

from cnnpipe.datasets import SPLITS
from cnnpipe.diagnosis import Finding, counted, in_words
from cnnpipe.examination import Examination

IN_EVERY_RUN = True
FEWEST = {"training": 20, "validation": 5, "test": 5}
"""Below how many examples in a split a class is small."""
MEANING = {
    "training": "A network learns little from them: add examples, or begin with a pretrained backbone.",
    "validation": "Decisions about them rest on chance: add examples, or larger shares in data.split.",
    "test": "Their scores say little: add examples, or larger shares in data.split.",
}


def findings(data: Examination) -> Iterator[Finding]:
    """Return a warning for each split with small classes. Classes without any example are another finding."""
    found = data.class_counts()
    for split in SPLITS:
        small = {name: found[split][name] for name in data.class_names if 0 < found[split][name] < FEWEST[split]}
        if small:
            names = tuple(f"'{name}' ({number})" for name, number in sorted(small.items(), key=lambda item: item[1]))
            message = f"{counted(len(small), 'class', 'classes')} with fewer than {FEWEST[split]} {split} examples"
            yield Finding("warning", f"{message}: {in_words(names)}", len(small), names, MEANING[split], small)
