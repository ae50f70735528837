"""Files that cannot be read as what they should be: all of them, not only the first."""

from __future__ import annotations

from collections.abc import Iterator

from cnnpipe.diagnosis import Finding, counted
from cnnpipe.examination import Examination

IN_EVERY_RUN = False


def findings(data: Examination) -> Iterator[Finding]:
    """Return one finding for all of them; an error unless the recipe says that they are skipped."""
    broken = [example for example in data.examples if example.unreadable]
    if not broken:
        return
    skipped = data.recipe.data.unreadable == "skip"
    yield Finding(
        "warning" if skipped else "error",
        f"{counted(len(broken), 'example')} of {len(data.examples):,} cannot be read"
        + (" and will be skipped" if skipped else ""),
        len(broken),
        tuple(f"{example.shown} ({example.unreadable})" for example in broken),
        "Repair or remove them." + ("" if skipped else " Or set data.unreadable: skip."),
    )
