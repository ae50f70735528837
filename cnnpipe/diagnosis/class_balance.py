"""Classes that are much larger than others."""

from __future__ import annotations

from collections.abc import Iterator

from cnnpipe.diagnosis import Finding
from cnnpipe.examination import Examination

IN_EVERY_RUN = True
RATIO = 5
"""From how many times as many training examples as in the smallest class on."""


def findings(data: Examination) -> Iterator[Finding]:
    """Return a warning when the largest class of the training split is `RATIO` times the smallest."""
    training = data.class_counts()["training"]
    present = {name: training[name] for name in data.class_names if training[name]}
    if len(present) < 2:
        return
    most, fewest = max(present, key=present.__getitem__), min(present, key=present.__getitem__)
    if present[most] < RATIO * present[fewest]:
        return
    share = present[most] / sum(present.values())
    yield Finding(
        "warning",
        f"classes are out of balance: '{most}' has {present[most]:,} training examples, '{fewest}' {present[fewest]:,}",
        len(present),
        hint=f"Whoever always says '{most}' is right on {share:.0%} of training: look at the scores of each class, and "
        "weigh the classes in the task's section or add examples.",
        details={"largest": most, "smallest": fewest, "ratio": round(present[most] / present[fewest], 2)},
    )
