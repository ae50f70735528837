"""The best candidate as an ordinary recipe: what it extends, and what it changes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cnnpipe.errors import ProblemError
from cnnpipe.recipe.load import LoadedRecipe, load_recipe, run_name
from cnnpipe.recipe.resolved import inline, resolved_yaml
from cnnpipe.recipe.space import Space
from cnnpipe.tuning.records import Objectives, Record


def best_yaml(loaded: LoadedRecipe, space: Space, record: Record, objectives: Objectives, folder: Path) -> str:
    """Return the text of a recipe in `folder` that is a candidate.

    It extends the recipe of the search where that says the same; else, or when that was changed meanwhile, it holds
    every value.
    """
    candidate = space.candidate(record.codes, record.epochs if "tuner/epochs" in record.codes else None)
    named = candidate.recipe.model_copy(update={"name": f"{loaded.name}_tuned"})
    head = "".join(f"# {line}\n" for line in _head(loaded, space, record, objectives, folder))
    try:
        base = load_recipe(loaded.file).root.plain()
    except ProblemError:
        return head + resolved_yaml(candidate)
    changes = {**_changes(base, candidate.root.plain()), "name": named.name, "tuning": None}
    parent = os.path.relpath(loaded.file.resolve(), folder.resolve())
    body = [f"extends: {inline(Path(parent).as_posix())}", *_lines(changes, "")]
    text = head + "\n".join(body) + "\n"
    with TemporaryDirectory(dir=folder) as beside:  # one deeper: the parent is named anew
        trial = Path(beside) / "best.yaml"
        trial.write_text(text.replace(body[0], f"extends: {inline(str(loaded.file.resolve()))}"), encoding="utf-8")
        if load_recipe(trial).recipe == named:
            return text
    return head + resolved_yaml(candidate)


def _head(loaded: LoadedRecipe, space: Space, record: Record, objectives: Objectives, folder: Path) -> Iterator[str]:
    values = ", ".join(f"{objectives.title(name)} {record.objectives[name]:.6g}" for name in objectives.names)
    yield f"cnnpipe run {(folder / 'best.yaml').as_posix()}"
    yield f"The best of {run_name(loaded.file)}'s search, trial {record.number}: {values}. It was chosen by that score,"
    yield "which is therefore too good by some luck; a run measures it on the test split."
    yield from (f"{path} = {inline(value)}" for path, value in space.settings(record.codes).items())


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return what has to be said to make `old` into `new`, where mappings merge and all else is replaced whole."""
    found: dict[str, Any] = {}
    for key, value in new.items():
        if key not in old:
            found[key] = value
        elif isinstance(value, dict) and isinstance(old[key], dict) and value.get("type") == old[key].get("type"):
            if inner := _changes(old[key], value):
                found[key] = inner
        elif value != old[key]:
            found[key] = value
    return found


def _lines(values: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield f"{indent}{key}:"
            yield from _lines(value, indent + "  ")
        elif isinstance(value, (list, tuple)) and any(isinstance(item, dict) for item in value):
            yield f"{indent}{key}:"
            yield from (f"{indent}  - {inline(item)}" for item in value)
        else:
            yield f"{indent}{key}: {inline(value)}"
