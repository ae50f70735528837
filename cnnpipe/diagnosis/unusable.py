"""What stops a run before the first epoch: labels that the task cannot use, names, splits."""

from __future__ import annotations

from collections.abc import Iterator

from cnnpipe.diagnosis import Finding, counted
from cnnpipe.examination import Examination

IN_EVERY_RUN = False


def findings(data: Examination) -> Iterator[Finding]:
    """Return one finding for all labels that are refused, then one for each other problem."""
    refused = [example for example in data.examples if example.unusable]
    if refused:
        yield Finding(
            "error",
            f"the task cannot use {counted(len(refused), 'example')} of {len(data.examples):,}",
            len(refused),
            tuple(f"{example.shown} ({example.unusable})" for example in refused),
            "Correct their labels, or the classes in the task's section.",
        )
    for problem in data.problems:
        where = f"{problem.path}: " if problem.path else ""
        yield Finding("error", f"{where}{problem.message}", 1, hint=problem.hint)
