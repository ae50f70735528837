"""Augmentations that mirror, where a mirrored picture may show another class: digits, letters, arrows, sides."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cnnpipe.diagnosis import Finding, in_words
from cnnpipe.diagnosis._mirror import exchanged
from cnnpipe.examination import Examination

IN_EVERY_RUN = False
WORDS = {
    "digits": {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"},
    "digits or text": {
        "digit", "digits", "number", "numbers", "letter", "letters", "text", "character", "characters", "word",
        "handwriting", "alphabet", "plate", "mnist", "emnist", "svhn",
    },
    "directions": {
        "left", "right", "leftward", "rightward", "clockwise", "counterclockwise", "anticlockwise", "cw", "ccw", "east",
        "west", "north", "south", "up", "down", "upward", "downward", "upper", "lower", "top", "bottom",
    },
    "signs": {"arrow", "arrows", "sign", "signs", "turn", "gtsrb"},
}  # fmt: skip
"""Words in the names of classes or sources which say that left and right, or up and down, matter."""
SIDES = {"horizontal": "left and right", "vertical": "top and bottom"}


def findings(data: Examination) -> Iterator[Finding]:
    """Return the question for each direction that is mirrored: a warning where something speaks for no, else a note."""
    for direction, types in data.mirrored().items():
        reasons, pairs = [*_by_name(data)], exchanged(data, direction)
        if pairs:
            reasons.append(
                "by their thumbnails, which is a hint and no proof, "
                + in_words([f"'{a}' and '{b}' are each other's mirror images ({share:.0%})" for a, b, share in pairs])
            )
        yield Finding(
            "warning" if reasons else "note",
            f"{' and '.join(types)} exchanges {SIDES[direction]}: does a mirrored picture still show its class?"
            + (f" Perhaps not: {'; '.join(reasons)}" if reasons else ""),
            1,
            hint="If it does not, remove it from data.augmentation: the model would learn wrong answers. The contact "
            "sheet shows mirrored pictures.",
            details={"direction": direction, "exchanged": [[a, b, round(share, 3)] for a, b, share in pairs]},
        )


def _by_name(data: Examination) -> Iterator[str]:
    """Yield what the names of classes and source say."""
    names = data.class_names
    single = [name for name in names if re.fullmatch(r"[0-9A-Za-z]", name)]
    if len(single) >= 2:
        yield f"classes are called like digits or letters ({in_words(single)})"
    for kind, known in WORDS.items():
        named = [name for name in names if known & _words(name)]
        if named:
            yield f"classes are called like {kind} ({in_words(named)})"
    source = data.recipe.data.source
    where = [source.type, *(str(value) for value in (getattr(source, key, None) for key in ("path", "name")) if value)]
    told = {kind for kind, known in WORDS.items() for text in where if known & _words(re.split(r"[\\/]", text)[-1])}
    if told:
        yield f"the source is called like {in_words(sorted(told))}"


def _words(name: str) -> set[str]:
    """Return the words of a name such as `turn_left` or `TurnLeft`, in small letters."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}
