"""Whether a mirrored picture still shows its class is asked, louder where something speaks against it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from cnnpipe.jobs.doctor import Diagnosis

Diagnose = Callable[..., Diagnosis]
FLIP = 'data.augmentation=[{"type": "random_flip", "mode": "horizontal"}]'


def flips(found: Diagnosis) -> list[tuple[str, str]]:
    return [(f.severity, f.message) for f in found.findings if f.check == "mirrored_classes"]


def test_a_flip_is_a_question(photos: Path, diagnose: Diagnose) -> None:
    question = "random_flip exchanges left and right: does a mirrored picture still show its class?"
    assert flips(diagnose(FLIP)) == [("note", question)]
    assert flips(diagnose()) == []


def test_both_directions_are_asked(photos: Path, diagnose: Diagnose) -> None:
    both = diagnose("data.augmentation=[random_flip]")
    assert [("top and bottom" in message, "left and right" in message) for _, message in flips(both)] == [
        (False, True), (True, False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (("3", "5"), "classes are called like digits or letters (3, 5)"),
        (("b", "d"), "classes are called like digits or letters (b, d)"),
        (("turn_left", "turn-right"), "classes are called like directions (turn-right, turn_left)"),
        (("TurnLeft", "Straight"), "classes are called like directions (TurnLeft)"),
        (("stop sign", "tree"), "classes are called like signs (stop sign)"),
    ],
)
def test_names_that_speak_against_it(photos: Path, diagnose: Diagnose, names: tuple[str, str], text: str) -> None:
    for split in ("train", "val", "test"):
        for old, new in zip(("circle", "square"), names, strict=True):
            (photos / split / old).rename(photos / split / new)
    ((severity, message),) = flips(diagnose(FLIP))
    assert severity == "warning"
    assert text in message


def test_a_word_within_a_word_says_nothing(photos: Path, diagnose: Diagnose) -> None:
    for split in ("train", "val", "test"):
        (photos / split / "circle").rename(photos / split / "bright_cleft")
    assert [severity for severity, _ in flips(diagnose(FLIP))] == ["note"]


def test_classes_that_are_each_others_mirror_images(photos: Path, diagnose: Diagnose) -> None:
    random = np.random.default_rng(0)
    for file in sorted(photos.rglob("*.jpg")):
        picture = Image.fromarray(random.integers(90, 166, (64, 64, 3), dtype=np.uint8))
        x, y = random.integers(-4, 5, 2)
        wedge = [(12 + x, 32 + y), (52 + x, 12 + y), (52 + x, 52 + y)]
        ImageDraw.Draw(picture).polygon(wedge, "white")
        (picture if file.parent.name == "circle" else picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)).save(file)
    ((severity, message),) = flips(diagnose(FLIP))
    assert severity == "warning"
    assert "a hint and no proof, 'circle' and 'square' are each other's mirror images (100%)" in message
    vertical = diagnose(FLIP.replace("horizontal", "vertical"))
    assert [severity for severity, _ in flips(vertical)] == ["note"]
