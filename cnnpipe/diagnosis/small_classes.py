"""Classes with so few examples that they are hardly learned, or hardly measured."""

from __future__ import annotations

from collections.abc import Iterator

from cnnpipe.datasets import SPLITS
from cnnpipe.diagnosis import Finding, counted, in_words
from cnnpipe.examination import Examination

IN_EVERY_RUN = True
FEWEST = {"training": 20, "validation": 5, "test": 5}
"""Below how many examples in a split a class is small."""
OR_PRETRAINED = ", or begin with a pretrained backbone"
MEANING = {
    "training": "A network learns little from them: add examples",
    "validation": "Decisions about them rest on chance: add examples, or larger shares in data.split",
    "test": "Their scores say little: add examples, or larger shares in data.split",
}


def findings(data: Examination) -> Iterator[Finding]:
    """Return a warning for each split with small classes. Classes without any example are another finding."""
    found, backbone = data.class_counts(), data.recipe.model.backbone
    pretrained = backbone is not None and backbone.pretrained
    for split in SPLITS:
        small = {name: found[split][name] for name in data.class_names if 0 < found[split][name] < FEWEST[split]}
        if small:
            names = tuple(f"'{name}' ({number})" for name, number in sorted(small.items(), key=lambda item: item[1]))
            message = f"{counted(len(small), 'class', 'classes')} with fewer than {FEWEST[split]} {split} examples"
            more = OR_PRETRAINED if split == "training" and not pretrained else ""
            hint = f"{MEANING[split]}{more}."
            yield Finding("warning", f"{message}: {in_words(names)}", len(small), names, hint, small)
