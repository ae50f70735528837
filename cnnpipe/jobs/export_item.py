"""One export that options ask for, in the place of those of a recipe."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from cnnpipe.boards import Board
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.recipe.load import LoadedRecipe, load_recipe
from cnnpipe.recipe.vocabulary import suggestion
from cnnpipe.registry import room


def load_with_item(recipe: Path, item: Mapping[str, Any], overrides: Sequence[str] = ()) -> LoadedRecipe:
    """Return a recipe with `item` as its only export; its own mistakes stand at no place of a file.

    Args:
        recipe: The recipe's file.
        item: As in a recipe's `export` list. Here `target` is `generic` when left out, and `board` may name a board:
            the target is then its family.
        overrides: Changes of single values, each `dotted.path=value`.

    Raises:
        ProblemError: The recipe is wrong, or the item is.
    """
    override = "export=" + json.dumps([{"target": "generic", **on_board(item)}])
    try:
        return load_recipe(recipe, [*overrides, override])
    except ProblemError as error:
        raise ProblemError(_without_item(problem) for problem in error.problems) from None


def _without_item(problem: Problem) -> Problem:
    """Return a problem without its place, where that is the item itself, which no file holds."""
    return replace(problem, place=None) if problem.path.partition(".")[0] == "export" else problem


def on_board(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item whose target has the board that it names.

    Raises:
        ProblemError: There is no such board, or there has to be one.
    """
    rest = {key: value for key, value in item.items() if key != "board"}
    if "board" not in item:
        target, targets = item.get("target"), room("targets")
        if target in targets.names() and "board" in targets.load(target).model_fields:
            hint = "Name the board, which brings its target; 'cnnpipe list boards' shows all."
            raise ProblemError(Problem(f"the target '{target}' needs a board", hint=hint))
        return rest
    name, boards = item["board"], room("boards")
    classes = {known: cast(type[Board], boards.load(known)) for known in boards.names()}
    if name not in classes:
        meant = suggestion(name, list(classes), {known: board.also_called for known, board in classes.items()})
        hint = f"Did you mean '{meant}'?" if meant else "'cnnpipe list boards' shows all."
        raise ProblemError(Problem(f"there is no board '{name}'", hint=hint))
    return {**rest, "target": {"type": item.get("target", classes[name].family), "board": name}}
