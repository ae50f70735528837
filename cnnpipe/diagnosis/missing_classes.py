"""Splits without examples, and splits without an example of some class."""

from __future__ import annotations

from collections.abc import Iterator

from cnnpipe.datasets import SPLITS
from cnnpipe.diagnosis import Finding, counted, in_words
from cnnpipe.examination import Examination

IN_EVERY_RUN = False
HINT = (
    "Add examples; or set larger shares or another seed in data.split; or divide the examples yourself, into folders "
    "train, validation and test or with a split column."
)


def findings(data: Examination) -> Iterator[Finding]:
    """Return an error for each such split: nothing honest can be measured on it."""
    if not any(example.split for example in data.examples):
        return
    found = data.class_counts()
    for split in SPLITS:
        if not any(example.split == split for example in data.examples):
            yield Finding("error", f"the {split} split has no examples", 1, hint=HINT)
            continue
        missing = tuple(name for name in data.class_names if not found[split][name])
        if missing and any(found[split].values()):
            message = f"the {split} split has no example of {counted(len(missing), 'class', 'classes')}: "
            yield Finding("error", message + in_words(missing), len(missing), missing, HINT)
