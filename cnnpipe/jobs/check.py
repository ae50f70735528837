"""Check a recipe: all mistakes at once, each with its place, before anything heavy is imported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.graph import Graph
from cnnpipe.graph.arithmetic import text
from cnnpipe.graph.table import totals
from cnnpipe.jobs.compiling import compile_loaded
from cnnpipe.jobs.describe import weights_of
from cnnpipe.quantization.aware.network import unfit_layers
from cnnpipe.recipe.absent import absent_paths
from cnnpipe.recipe.compiled import Compiled
from cnnpipe.recipe.exports import planned_exports
from cnnpipe.recipe.feasibility import judge
from cnnpipe.recipe.load import LoadedRecipe, load_recipe
from cnnpipe.recipe.phases import phase_lines
from cnnpipe.recipe.schema import Recipe
from cnnpipe.recipe.space_problems import described, space_problems


@dataclass(frozen=True)
class CheckResult:
    """What `check` found.

    Args:
        problems: Errors and warnings, in the order of their places.
        summary: One sentence that says what the recipe is; empty when there are errors.
        settings: What each override points to, one sentence each.
        notes: Feature maps of a backbone, the file and licence of its weights, the phases of the training, and what
            each export for a device with limits is predicted to take; what may vary in a search, and where it stands.
    """

    problems: tuple[Problem, ...]
    summary: str = ""
    settings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether there is no error; warnings do not count."""
        return all(problem.severity != "error" for problem in self.problems)


def check(recipe: str | Path | LoadedRecipe, overrides: Sequence[str] = ()) -> CheckResult:
    """Read, validate and expand a recipe, and return every problem instead of raising it.

    Args:
        recipe: A file, or the name of a shipped recipe.
        overrides: Changes of single values, each `dotted.path=value`.
    """
    try:
        loaded = load_recipe(recipe, overrides)
        compiled = compile_loaded(loaded)
    except ProblemError as error:
        return CheckResult(error.problems)
    judgement = judge(loaded, compiled)
    graph, space = loaded.recipe.task.deployed(compiled.graphs), space_problems(loaded)
    unfit = unfit_layers(loaded.recipe, graph)
    clients = _refused_by_clients(loaded, compiled, graph)
    found = (*loaded.warnings, *compiled.problems, *absent_paths(loaded), *judgement.problems, *unfit, *clients, *space)
    problems = tuple(dict.fromkeys(found))
    settings = tuple(str(setting) for setting in loaded.settings)
    summary = _summary(loaded.recipe, totals(compiled.graphs)["parameters"])
    phases = phase_lines(loaded.recipe, compiled.graphs)
    notes = (*_notes(loaded.recipe, compiled.graphs), *compiled.only_trained, *phases, *judgement.notes)
    if not any(problem.severity == "error" for problem in space):
        notes = (*notes, *described(loaded))
    return CheckResult(problems, summary, settings, notes)


def _refused_by_clients(loaded: LoadedRecipe, compiled: Compiled, graph: Graph) -> list[Problem]:
    """Return why client libraries cannot take what would be exported; their metadata are only looked at for them."""
    exports = [export for export in planned_exports(loaded.recipe) if export.device.metadata]
    if not exports:
        return []
    from cnnpipe.bundle.client import refusals

    return [loaded.located(p) for p in refusals(exports, loaded.recipe.task, graph, compiled.facts)]


def _notes(recipe: Recipe, graphs: Mapping[str, Graph]) -> Iterator[str]:
    if recipe.model.backbone is None:
        return
    for graph in graphs.values():
        maps = (f"{level} {text(graph.nodes[position].shape)}" for level, position in graph.features.items())
        yield f"features {', '.join(maps)}"
    if weights := weights_of(recipe):
        yield f"weights {weights['file']}, licence {weights['licence']}"


def _summary(recipe: Recipe, parameters: int) -> str:
    epochs, exports = recipe.training.total_epochs, len(recipe.export)
    return (
        f"{recipe.task.type} on {recipe.data.source.type}, {parameters:,} parameters, "
        f"{epochs} epoch{'s' * (epochs != 1)}, {exports} export{'s' * (exports != 1)}"
    )
