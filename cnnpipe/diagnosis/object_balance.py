"""Classes with many more objects than others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cnnpipe.diagnosis import Finding
from cnnpipe.examination import Examination

IN_EVERY_RUN = False
RATIO = 5
"""From how many times as many training objects as in the smallest class on."""


def findings(data: Examination) -> Iterator[Finding]:
    """Return a note with the number of objects of each class, which is a warning when they are out of balance."""
    if not data.objects:
        return
    counts, most = Counter[int](), 0
    for example, objects in data.objects:
        most = max(most, len(objects.labels))
        if example.split == "training":
            counts.update(objects.labels.tolist())
    names = data.source_class_names
    numbers = {name: counts[position] for position, name in enumerate(names)}
    present = {name: number for name, number in numbers.items() if number}
    if not present:
        return
    largest, smallest = max(present, key=present.__getitem__), min(present, key=present.__getitem__)
    uneven = present[largest] >= RATIO * present[smallest]
    listed = ", ".join(
        f"'{name}' {number:,}" for name, number in sorted(numbers.items(), key=lambda item: -item[1])[:5]
    )
    more = f" and {len(numbers) - 5} more classes" if len(numbers) > 5 else ""
    yield Finding(
        "warning" if uneven else "note",
        f"{sum(numbers.values()):,} training objects{', out of balance' if uneven else ''}: {listed}{more}; at most "
        f"{most:,} in one picture",
        len(present),
        hint=f"Look at the scores of each class: those of '{smallest}' rest on few objects." if uneven else "",
        details={"objects": numbers, "most_in_one_picture": most},
    )
