"""Files and folders that a recipe needs and that are not there: told without reading any."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cnnpipe.errors import Path as Keys
from cnnpipe.errors import Problem, dotted
from cnnpipe.recipe.load import LoadedRecipe
from cnnpipe.spec import FilePath, Spec


def absent_paths(loaded: LoadedRecipe) -> Iterator[Problem]:
    """Yield a warning for each needed file or folder that does not exist: a recipe may be checked elsewhere.

    Paths that may be left out are not needed: a source may make what they name.
    """
    for keys, path in _needed(loaded.recipe, ()):
        if not Path(path).exists():
            yield Problem(
                f"{path} does not exist",
                loaded.place_of(keys),
                dotted(keys),
                "It must be there before training.",
                severity="warning",
            )


def _needed(value: Any, keys: Keys) -> Iterator[tuple[Keys, str]]:
    if isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from _needed(item, (*keys, number))
    if not isinstance(value, Spec):
        return
    for name, field in type(value).model_fields.items():
        inner = getattr(value, name)
        if (
            field.is_required()
            and isinstance(inner, str)
            and any(isinstance(mark, FilePath) for mark in field.metadata)
        ):
            yield (*keys, name), inner
        yield from _needed(inner, (*keys, name))
