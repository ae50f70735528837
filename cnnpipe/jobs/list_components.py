"""List everything that a recipe can name, and the shipped recipes, without importing the components."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cnnpipe.docstrings import first_line
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.jobs.list_recipes import list_recipes
from cnnpipe.registry import rooms
from cnnpipe.spec import nearest

TITLES = {"pipelines": "tasks"}
"""What users call a room, where it is not the folder's name."""
RECIPES = "recipes"


def list_components(kind: str | None = None) -> dict[str, dict[str, str]]:
    """Return the components by kind (room), each name with the first docstring line of its file.

    Recipes, which are no components, come last, each with what its `about` section says that it is.

    Args:
        kind: Only this one: a room such as `blocks`, `tasks`, or `recipes`; None for all.

    Raises:
        ProblemError: There is no such kind.
    """
    files = {TITLES.get(room.name, room.name): room.files() for room in rooms()}
    kinds = [*sorted(files), RECIPES]
    wanted = kinds if kind is None else [TITLES.get(kind, kind)]
    if wanted[0] not in kinds:
        meant = nearest(wanted[0], kinds)
        hint = f"Did you mean '{meant}'?" if meant else f"Kinds are {', '.join(kinds)}."
        raise ProblemError(Problem(f"there is no kind of component called '{wanted[0]}'", hint=hint))
    return {name: _recipes() if name == RECIPES else _first_lines(files[name]) for name in wanted}


def component_columns(kind: str) -> dict[str, dict[str, str]]:
    """Return what each component of a kind tells in columns, by name; empty for kinds that tell nothing so.

    Args:
        kind: A room that `list_components` knows.
    """
    here = next((room for room in rooms() if room.name == kind), None)
    if here is None or not hasattr(here.base, "columns"):
        return {}
    return {name: here.load(name).columns() for name in here.names()}  # type: ignore[attr-defined]


def _first_lines(files: Mapping[str, Path]) -> dict[str, str]:
    return {name: first_line(file) for name, file in sorted(files.items())}


def _recipes() -> dict[str, str]:
    return {name: said["summary"] or "" for name, said in list_recipes().items()}
