"""Compare the networks of several recipes: sizes, and what each takes as an int8 file, from the recipes alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import has_magic
from pathlib import Path
from typing import Any

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.graph import Graph
from cnnpipe.graph.lowering import NotPredicted
from cnnpipe.jobs.describe import Description, describe
from cnnpipe.recipe.about import About
from cnnpipe.recipe.exports import planned_export
from cnnpipe.recipe.feasibility import forecast
from cnnpipe.recipe.load import load_recipe, shipped_recipes
from cnnpipe.recipe.schema import Export


@dataclass(frozen=True)
class Compared:
    """One recipe among others.

    Args:
        recipe: As the user called it.
        description: Its network.
        about: What the recipe says of itself.
        receptive_field: Input positions per axis that one position of the last map sees; None for all of them.
        file_bytes: About how large its int8 file will be; None where that is not predicted.
        arena_bytes: What that file will take of memory in LiteRT Micro; None where that is not predicted.
        reason: Why it is not predicted.
    """

    recipe: str
    description: Description
    about: About
    receptive_field: tuple[int, ...] | None
    file_bytes: int | None
    arena_bytes: int | None
    reason: str

    def as_json(self) -> dict[str, Any]:
        """Return the plain form: that of the description, and the figures beside it."""
        int8 = {"file_bytes": self.file_bytes, "arena_bytes": self.arena_bytes, "reason": self.reason}
        field = self.receptive_field and list(self.receptive_field)
        about = self.about.model_dump(mode="json")
        return {**self.description.as_json(), "receptive_field": field, "int8": int8, "about": about}


@dataclass(frozen=True)
class Comparison:
    """Several recipes.

    Args:
        recipes: Those that could be compiled.
        problems: What is wrong with the others, and which of them they are.
    """

    recipes: tuple[Compared, ...]
    problems: tuple[Problem, ...]


def named_recipes(names: Sequence[str]) -> list[str]:
    """Return recipe names and files, with patterns such as `vgg*` replaced by the shipped recipes that they match.

    Raises:
        ProblemError: A pattern matches none.
    """
    found: list[str] = []
    problems: list[Problem] = []
    for name in names:
        matching = [name]
        if has_magic(name) and not Path(name).exists():
            matching = sorted(known for known in shipped_recipes() if fnmatchcase(known, name))
        found += matching
        if not matching:
            hint = "'cnnpipe list recipes' shows all."
            problems.append(Problem(f"no shipped recipe matches the pattern '{name}'", hint=hint))
    if problems:
        raise ProblemError(problems)
    return list(dict.fromkeys(found))


def compare_recipes(recipes: Sequence[str], overrides: Sequence[str] = ()) -> Comparison:
    """Compile recipes and count. Neither data nor TensorFlow is needed when the recipes state their classes.

    Args:
        recipes: Files, or names of shipped recipes.
        overrides: Changes of single values in each of them, each `dotted.path=value`.

    Raises:
        ProblemError: There is something wrong with each of them.
    """
    found: list[Compared] = []
    problems: list[Problem] = []
    for recipe in recipes:
        try:
            found.append(_compared(recipe, overrides))
        except ProblemError as error:
            problems += error.problems
    problems = list(dict.fromkeys(problems))
    if not found:
        raise ProblemError(problems)
    return Comparison(tuple(found), tuple(problems))


def _compared(recipe: str, overrides: Sequence[str]) -> Compared:
    loaded = load_recipe(recipe, overrides)
    description = describe(loaded)
    fields = [field for graph in description.graphs.values() for field in _map_fields(graph, description)]
    sizes = _int8(loaded.recipe.task.deployed(description.graphs))
    return Compared(recipe, description, loaded.recipe.about, fields[-1] if fields else None, *sizes)


def _map_fields(graph: Graph, description: Description) -> list[tuple[int, ...] | None]:
    """Return the receptive fields of all maps that the model makes and that have more than one position, in order."""
    rows = {row["name"]: row["receptive_field"] for row in description.layers}
    maps = [node for node in graph.nodes if node.path.startswith("model") and any(size > 1 for size in node.shape[:-1])]
    return [field and tuple(field) for field in (rows[node.name] for node in maps)]


def _int8(graph: Graph) -> tuple[int | None, int | None, str]:
    """Return bytes of the predicted int8 file and of its arena, and why not."""
    try:
        made = forecast(planned_export(0, Export.model_validate({"target": "generic", "quantization": "int8"})), graph)
    except NotPredicted as error:
        return None, None, error.reason
    return made.file_bytes, made.arena.total, ""


def plot(found: Sequence[Compared], file: Path) -> None:
    """Draw the networks in one chart: multiply-adds against parameters, with the memory of activations as area.

    Args:
        found: What `compare_recipes` returned.
        file: Where to write; its ending, .svg or .png, is the format.

    Raises:
        ProblemError: The ending is another one, or the file cannot be written.
    """
    from cnnpipe.report.scatter_plot import Point, plot_scatter

    totals = [one.description.totals for one in found]
    points = [
        Point(Path(one.recipe).stem, total["macs"], total["parameters"], total["activation_bytes"])
        for one, total in zip(found, totals, strict=True)
    ]
    plot_scatter(points, file)
