"""Objects with boxes as annotation files say them, made fit for their pictures: what the sources of boxes share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from cnnpipe.datasets import Example, SplitName
from cnnpipe.datasets.image_folder import content_of
from cnnpipe.errors import Place, Problem, ProblemError
from cnnpipe.spec import nearest

Corners = tuple[float, float, float, float]
SLIGHT = 0.5
"""Pixels by which a box may reach beyond its picture before that is told: coordinates are often rounded."""
EMPTY = "boxes without area, left out"
OUTSIDE = "boxes outside of their picture, left out"
CUT = "boxes that reach beyond their picture, cut off"
LISTED = 10


@dataclass(frozen=True, slots=True)
class Stated:
    """One object.

    Args:
        corners: Left, top, right, bottom in pixels of the upright picture.
        label: Its class.
        place: Where its file says so.
        crowd: Whether it stands for a group whose members are not told apart.
        outline: Its polygons or run lengths, when they are wanted.
    """

    corners: Corners
    label: str
    place: Place
    crowd: bool = False
    outline: Any = None


class Repairs:
    """Collects what was done about flaws, by kind, with every place."""

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}

    def add(self, kind: str, where: str) -> None:
        """Note one place."""
        self._found.setdefault(kind, []).append(where)

    def by_kind(self) -> dict[str, tuple[str, ...]]:
        """Return all places of each kind."""
        return {kind: tuple(places) for kind, places in self._found.items()}


def fitted(
    found: Iterable[Stated], size: tuple[float, float], repairs: Repairs, slight: float = SLIGHT
) -> list[Stated]:
    """Return the objects that can be seen, their boxes cut off at the edges of the picture.

    Args:
        found: All of one picture.
        size: Width and height of the upright picture, in the unit of the boxes.
        repairs: Takes down what was left out or cut off.
        slight: By how much a box may reach beyond without a word, in the same unit.
    """
    kept = []
    for item in found:
        left, top, right, bottom = item.corners
        if right <= left or bottom <= top:
            repairs.add(EMPTY, _told(item))
            continue
        inside = max(left, 0.0), max(top, 0.0), min(right, size[0]), min(bottom, size[1])
        if inside[2] <= inside[0] or inside[3] <= inside[1]:
            repairs.add(OUTSIDE, f"{_told(item)} in {size[0]:g}x{size[1]:g}")
            continue
        if max(abs(a - b) for a, b in zip(inside, item.corners, strict=True)) > slight:
            repairs.add(CUT, f"{_told(item)} in {size[0]:g}x{size[1]:g}")
        kept.append(item if inside == item.corners else replace(item, corners=inside))
    return kept


def class_list(
    stated: Sequence[str] | None, found: Mapping[str, tuple[SplitName | None, Sequence[Stated]]]
) -> tuple[str, ...]:
    """Return the class names: those that the recipe states, else those of the training objects, sorted.

    Raises:
        ProblemError: Objects are of other classes, each with its place; or there is no object to learn from.
    """
    training = (item for split, items in found.values() if split in (None, "training") for item in items)
    names = tuple(stated) if stated is not None else tuple(sorted({item.label for item in training}))
    if not names:
        raise ProblemError(Problem("there is no object for training, so the classes are not known", path="data.source"))
    known = set(names)
    strangers = [item for _, items in found.values() for item in items if item.label not in known]
    if strangers:
        where = "the classes of the source have no" if stated is not None else "no training picture has the class"
        raise ProblemError(_stranger(item, where, names) for item in strangers)
    return names


def _stranger(item: Stated, where: str, names: Sequence[str]) -> Problem:
    meant = nearest(item.label, list(names))
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    hint = f"Did you mean '{meant}'?" if meant else f"The classes are {', '.join(names[:LISTED])}{more}."
    return Problem(f"{where} '{item.label}'", item.place, hint=hint)


def example_of(
    name: str,
    split: SplitName | None,
    file: Path,
    place: Place | None,
    items: Sequence[Stated],
    class_names: Sequence[str],
    flags_crowds: bool = False,
) -> Example:
    """Return an example of a picture in a file with its boxes; read it gives `images`, `labels`, `bounding_boxes`."""
    return Example(name, split, partial(_read, file, truth_of(items, class_names, flags_crowds)), file, place)


def truth_of(items: Sequence[Stated], class_names: Sequence[str], flags_crowds: bool) -> dict[str, Any]:
    """Return `labels`, the classes that are seen, and `bounding_boxes`, as the room says."""
    import numpy as np

    positions = {name: position for position, name in enumerate(class_names)}
    labels = np.array([positions[item.label] for item in items], np.int32)
    boxes = {"boxes": np.array([item.corners for item in items], np.float32).reshape(-1, 4), "labels": labels}
    if flags_crowds:
        boxes["crowd"] = np.array([item.crowd for item in items], bool)
    return {"labels": tuple(class_names[label] for label in sorted(set(labels.tolist()))), "bounding_boxes": boxes}


def _read(file: Path, truth: Mapping[str, Any]) -> dict[str, Any]:
    return {"images": content_of(file), **truth}


def _told(item: Stated) -> str:
    corners = ", ".join(f"{corner:g}" for corner in item.corners)
    return f"{item.place.file}{f':{item.place.line}' if item.place.line else ''} [{corners}]"
