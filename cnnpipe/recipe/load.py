"""From the text of a recipe to a checked `Recipe`: parse, extends, --set, schema, cross checks."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path as File
from typing import Any

from pydantic import ValidationError

from cnnpipe.errors import Path, Place, Problem, ProblemError
from cnnpipe.extends import read_chain
from cnnpipe.locations import shipped_folder
from cnnpipe.recipe.cross_checks import cross_problems
from cnnpipe.recipe.filled import filled
from cnnpipe.recipe.overrides import Setting, apply_overrides
from cnnpipe.recipe.provenance import provenance
from cnnpipe.recipe.schema import Recipe
from cnnpipe.recipe.where import implied_type
from cnnpipe.registry import plugin_folders
from cnnpipe.spec import FilePath, Spec, nearest
from cnnpipe.yaml_nodes import Node


@dataclass(frozen=True)
class LoadedRecipe:
    """A checked recipe and where each of its values came from.

    Args:
        recipe: The typed recipe; its name is filled in and its file paths are absolute.
        file: The recipe file.
        folder: The folder of the recipe file.
        text: The recipe file's text.
        root: The merged content with places.
        provenance: Who set each value, by dotted path: `recipe.yaml:12`, `--set 1` or `default`.
        settings: What each `--set` points to.
        warnings: What is legal but surely unwanted.
        folders: The folder of each file that was read, by the name that places show.
    """

    recipe: Recipe
    file: File
    folder: File
    text: str
    root: Node
    provenance: Mapping[str, str]
    settings: tuple[Setting, ...] = ()
    warnings: tuple[Problem, ...] = ()
    folders: Mapping[str, File] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the recipe's runs."""
        return self.recipe.name or run_name(self.file)

    def place_of(self, path: Path) -> Place | None:
        """Return the place of the key at a recipe path, or of its nearest ancestor."""
        return self.root.closest(path).key_place

    def located(self, problem: Problem) -> Problem:
        """Return a problem with the place of its path, unless it has a place."""
        return problem.at(self.place_of(_parts(problem.path, self.root))) if problem.path else problem


def load_recipe(recipe: str | File | LoadedRecipe, overrides: Sequence[str] = ()) -> LoadedRecipe:
    """Read and check a recipe.

    Args:
        recipe: A file, or the name of a shipped recipe; one that is loaded already is returned as it is.
        overrides: Changes as `dotted.path=value`, applied in order.

    Raises:
        ProblemError: With every problem that was found, in the order of their places.
    """
    if isinstance(recipe, LoadedRecipe):
        if overrides:
            raise ProblemError(Problem("a loaded recipe takes no changes", hint="Give them to load_recipe."))
        return recipe
    file, shown = _find(recipe)
    chain = read_chain(file, shown, implied_type)
    root, settings, problems = apply_overrides(chain.root, overrides)
    text = "\n".join(chain.document.lines)
    unchecked = Unchecked(root, file, text, tuple(settings), chain.folders)
    return checked_recipe(unchecked, problems)


@dataclass(frozen=True)
class Unchecked:
    """The content of a recipe that is not checked yet; all as in `LoadedRecipe`."""

    root: Node
    file: File
    text: str
    settings: tuple[Setting, ...]
    folders: Mapping[str, File]


def with_root(loaded: LoadedRecipe, root: Node) -> LoadedRecipe:
    """Return a recipe with other content.

    Raises:
        ProblemError: With every problem that was found, in the order of their places.
    """
    return checked_recipe(Unchecked(root, loaded.file, loaded.text, loaded.settings, loaded.folders))


def checked_recipe(read: Unchecked, problems: Sequence[Problem] = ()) -> LoadedRecipe:
    """Check the content of a recipe, and return it typed.

    Args:
        read: The content.
        problems: What is known to be wrong already.

    Raises:
        ProblemError: With every problem that was found, in the order of their places.
    """
    root, file = read.root, read.file
    checked = _with_absolute_paths(validated(root, problems), root, read.folders)
    found = in_order(
        replace(p, place=p.place or root.closest(_parts(p.path, root)).key_place) for p in cross_problems(checked, root)
    )
    if any(problem.severity == "error" for problem in found):
        raise ProblemError(found)
    checked = filled(checked, run_name(file))
    return LoadedRecipe(
        checked, file, file.resolve().parent, read.text, root, provenance(checked, root), read.settings, tuple(found),
        read.folders,
    )  # fmt: skip


def in_order(problems: Any) -> list[Problem]:
    """Return problems sorted by place, without repetitions."""
    return sorted(
        dict.fromkeys(problems), key=lambda p: (p.place is None, p.place or Place("", 0, 0), p.path, p.message)
    )


def run_name(file: File) -> str:
    """Return the name that runs of a recipe file get when the recipe says none."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", file.stem).strip("-._") or "recipe"


def shipped_recipes() -> dict[str, File]:
    """Return the files of all shipped recipes, and of those in plugin folders, by name."""
    folders = [shipped_folder("recipes"), *(folder / "recipes" for folder in plugin_folders())]
    return {file.stem: file for folder in folders for file in sorted(folder.rglob("*.yaml"))}


def _find(recipe: str | File) -> tuple[File, str]:
    text = os.fspath(recipe)
    named = isinstance(recipe, str) and re.fullmatch(r"[A-Za-z0-9_-]+", text) and not File(text).is_file()
    if not named:
        return File(text), text
    shipped = shipped_recipes()
    if text in shipped:
        return shipped[text], _shown(shipped[text])
    here = {file.stem: file for file in File().glob("*.yaml")}
    guess = text if text in here else nearest(text, [*shipped, *here])
    meant = str(here[guess]) if guess in here else guess
    raise ProblemError(
        Problem(
            f"there is no recipe '{text}'",
            hint=f"Did you mean '{meant}'?" if guess else f"Name a file, or a shipped recipe: {', '.join(shipped)}.",
        )
    )


def _shown(file: File) -> str:
    relative = os.path.relpath(file) if file.drive == File.cwd().drive else str(file)
    return str(file) if relative.startswith("..") else relative


def validated(root: Node, problems: Sequence[Problem] = ()) -> Recipe:
    """Return the typed content of a recipe. Raises `ProblemError` with what the schema found, and `problems`."""
    try:
        recipe = Recipe.model_validate(root.plain(tuple))
    except ValidationError as error:
        from cnnpipe.recipe.problems import schema_problems  # only needed for a bad recipe

        raise ProblemError(in_order([*problems, *schema_problems(error, root)])) from None
    if problems:
        raise ProblemError(in_order(problems))
    return recipe


def _with_absolute_paths(recipe: Recipe, root: Node, folders: Mapping[str, File]) -> Recipe:
    def absolute(value: Any, path: Path, is_file: bool) -> Any:
        if isinstance(value, Spec):
            fields = type(value).model_fields
            changes = {}
            for name in fields:
                old = getattr(value, name)
                new = absolute(old, (*path, name), any(isinstance(mark, FilePath) for mark in fields[name].metadata))
                if new is not old:
                    changes[name] = new
            return value.model_copy(update=changes) if changes else value
        if isinstance(value, tuple):
            items = tuple(absolute(item, (*path, number), is_file) for number, item in enumerate(value))
            return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
        if is_file and isinstance(value, str):
            folder = folders.get(root.closest(path).place.file, File.cwd())
            return os.path.normpath(os.path.join(folder, value))
        return value

    return absolute(recipe, (), False)  # type: ignore[no-any-return]


def _parts(path: str, root: Node) -> Path:
    found: list[str | int] = []
    node: Node | None = root
    for part in path.split(".") if path else ():
        key = int(part) if node is not None and isinstance(node.value, tuple) and part.isdigit() else part
        found.append(key)
        node = node.child(key) if node else None
    return tuple(found)
