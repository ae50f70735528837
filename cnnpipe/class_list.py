"""The class list of a task's section, and how it agrees with that of the data: the same for all tasks with classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cnnpipe.errors import Problem

Classes = int | tuple[str, ...] | None
"""How many there are, or their names in order; None: the data tells them."""
LISTED = 10


def distinct(classes: Any) -> Any:
    """Return what a recipe says. Raises `ValueError` when it is a list without names, or with one twice."""
    if isinstance(classes, tuple) and (not classes or len(set(classes)) < len(classes) or not all(classes)):
        raise ValueError("classes must be different names, at least one")
    return classes


def known_names(classes: Classes) -> tuple[str, ...] | None:
    """Return the names of the recipe, numbers as text when it tells only how many there are."""
    return tuple(map(str, range(classes))) if isinstance(classes, int) else classes


def class_names(classes: Classes, found: Sequence[str] | None) -> tuple[str, ...]:
    """Return the names in the order of the outputs: the recipe's own, else those that the data has."""
    names = classes if isinstance(classes, tuple) else found or known_names(classes)
    return tuple(names or ())


def class_problems(classes: Classes, found: Sequence[str] | None) -> Iterator[Problem]:
    """Yield where the class list of a recipe is not that of the data; the path is `classes`."""
    if found is not None and isinstance(classes, int) and len(found) != classes:
        message = f"{classes} classes are stated, but the data has {len(found)} ({listed(found)})"
        yield Problem(message, path="classes")
    if found is not None and isinstance(classes, tuple) and set(found) != set(classes):
        parts = {"only stated": set(classes) - set(found), "only in the data": set(found) - set(classes)}
        what = "; ".join(f"{where}: {listed(sorted(names))}" for where, names in parts.items() if names)
        yield Problem(f"the classes stated are not those of the data ({what})", path="classes")


def listed(names: Sequence[str]) -> str:
    """Return the first few names."""
    return ", ".join(names[:LISTED]) + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")
