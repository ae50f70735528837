"""List everything that a recipe can name, and the shipped recipes, without importing any of it."""

from __future__ import annotations

from pathlib import Path

from cnnpipe.docstrings import first_line
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.recipe.load import shipped_recipes
from cnnpipe.registry import rooms
from cnnpipe.spec import nearest

TITLES = {"pipelines": "tasks"}
"""What users call a room, where it is not the folder's name."""


def list_components(kind: str | None = None) -> dict[str, dict[str, str]]:
    """Return the components by kind (room), each name with the first docstring line of its file.

    Args:
        kind: Only this one: a room such as `blocks`, `tasks`, or `recipes`; None for all.

    Raises:
        ProblemError: There is no such kind.
    """
    found = {
        TITLES.get(room.name, room.name): {name: first_line(file) for name, file in sorted(room.files().items())}
        for room in rooms()
    }
    found = {**dict(sorted(found.items())), "recipes": _recipes()}
    if kind is None:
        return found
    kind = TITLES.get(kind, kind)
    if kind not in found:
        meant = nearest(kind, list(found))
        hint = f"Did you mean '{meant}'?" if meant else f"Kinds are {', '.join(found)}."
        raise ProblemError(Problem(f"there is no kind of component called '{kind}'", hint=hint))
    return {kind: found[kind]}


def component_columns(kind: str) -> dict[str, dict[str, str]]:
    """Return what each component of a kind tells in columns, by name; empty for kinds that tell nothing so.

    Args:
        kind: A room that `list_components` knows.
    """
    here = next((room for room in rooms() if room.name == kind), None)
    if here is None or not hasattr(here.base, "columns"):
        return {}
    return {name: here.load(name).columns() for name in here.names()}  # type: ignore[attr-defined]


def _recipes() -> dict[str, str]:
    return {name: _first_comment(file) for name, file in sorted(shipped_recipes().items())}


def _first_comment(file: Path) -> str:
    with file.open(encoding="utf-8") as text:
        line = text.readline().strip()
    return line.removeprefix("#").strip() if line.startswith("#") else ""
