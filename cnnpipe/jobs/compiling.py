"""Compile a loaded recipe, asking the data only for what the recipe does not say."""

from __future__ import annotations

from cnnpipe.datasets import Examples
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.recipe.compiled import Compiled, compile_recipe
from cnnpipe.recipe.load import LoadedRecipe
from cnnpipe.task import Facts


def compile_loaded(loaded: LoadedRecipe) -> Compiled:
    """Return the graphs of a recipe. Lists the examples of the source when nothing else tells the classes.

    Raises:
        ProblemError: The recipe does not fit together, or the classes are needed and the data is not there.
    """
    task, source = loaded.recipe.task, loaded.recipe.data.source
    if task.known_class_names() is None and source.class_names() is None:
        names = opened(loaded).class_names
        return compile_recipe(loaded, Facts(loaded.recipe.data.preprocessing, names))
    return compile_recipe(loaded)


def opened(loaded: LoadedRecipe) -> Examples:
    """List the examples of a recipe's source; a problem without a place stands at the recipe's line."""
    try:
        return loaded.recipe.data.source.open(loaded.folder)
    except ProblemError as error:
        raise ProblemError(
            problem if problem.place else problem.at(loaded.place_of(_path(problem)), ".".join(_path(problem)))
            for problem in error.problems
        ) from error


def _path(problem: Problem) -> tuple[str, ...]:
    return tuple((problem.path or "data.source").split("."))
