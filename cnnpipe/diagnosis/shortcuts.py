"""What tells classes apart without a look at the picture: a model takes such a shortcut, and fails elsewhere."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

from cnnpipe.diagnosis import Finding
from cnnpipe.diagnosis._colours import is_gray
from cnnpipe.examination import Examination
from cnnpipe.examination.pictures import Picture

IN_EVERY_RUN = False
MOST, FEWEST = 0.9, 0.1
"""A property is a shortcut when at least this share of one class has it, and at most that share of another."""
ENOUGH = 10
"""From how many examples on a class is looked at."""
PROPERTIES: dict[str, Callable[[Picture], str]] = {
    "colour": lambda picture: "gray" if is_gray(picture) else "coloured",
    "file format": lambda picture: picture.format,
    "size": lambda picture: picture.size,
}


def findings(data: Examination) -> Iterator[Finding]:
    """Return a warning for each property that separates two classes."""
    for what, value_of in PROPERTIES.items():
        values: dict[str, Counter[str]] = defaultdict(Counter)
        for example, picture in data.pictures:
            for label in example.labels:
                values[label][value_of(picture)] += 1
        shares = {
            label: {value: number / found.total() for value, number in found.items()}
            for label, found in values.items()
            if found.total() >= ENOUGH
        }
        for value in sorted({value for found in shares.values() for value in found}):
            having = sorted(label for label, found in shares.items() if found.get(value, 0) >= MOST)
            lacking = sorted(label for label, found in shares.items() if found.get(value, 0) <= FEWEST)
            if having and lacking:
                yield _finding(what, value, having, lacking)
                break


def _finding(what: str, value: str, having: list[str], lacking: list[str]) -> Finding:
    return Finding(
        "warning",
        f"the {what} alone tells classes apart: nearly all of '{having[0]}' is {value}, hardly any of '{lacking[0]}'",
        len(having) + len(lacking),
        hint="The model can learn that instead of what the pictures show, and then fails on pictures from elsewhere. "
        "Take the pictures of all classes in the same way, or store them alike.",
        details={"value": value, "classes_with": having, "classes_without": lacking},
    )
