"""What a candidate takes, by arithmetic on its recipe: those that cannot be are told before they cost anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.graph import Graph
from cnnpipe.graph.lowering import NotPredicted
from cnnpipe.graph.table import totals
from cnnpipe.quantization.aware.network import unfit_layers
from cnnpipe.recipe.compiled import compile_recipe
from cnnpipe.recipe.exports import planned_exports
from cnnpipe.recipe.feasibility import forecast, judge
from cnnpipe.recipe.load import LoadedRecipe
from cnnpipe.recipe.space import Space
from cnnpipe.task import Facts

OF_FILE = ("bytes", "arena")
"""Objectives that the file of the first export has, and not the network."""


@dataclass(frozen=True)
class Judgement:
    """What is known of a candidate before training.

    Args:
        reason: Why it is rejected; empty when it fits.
        figures: Its objectives that are counted and not measured, by name; empty when it is rejected.
    """

    reason: str
    figures: Mapping[str, int]


class Judge:
    """Judges candidates, each once.

    Args:
        space: The space that they are from.
        class_names: The classes of the data, None when the labels are numbers.
    """

    def __init__(self, space: Space, class_names: tuple[str, ...] | None) -> None:
        self.space, self._class_names = space, class_names
        self._known: dict[str, Judgement] = {}

    def __call__(self, codes: Mapping[str, Any]) -> Judgement:
        """Return what is known of a candidate."""
        key = json.dumps(self.space.active(codes), sort_keys=True)
        if key not in self._known:
            try:
                self._known[key] = Judgement("", self._figures(self.space.candidate(codes)))
            except ProblemError as error:
                self._known[key] = Judgement(_reason(error.problems), {})
        return self._known[key]

    def _figures(self, loaded: LoadedRecipe) -> dict[str, int]:
        compiled = compile_recipe(loaded, Facts(loaded.recipe.data.preprocessing, self._class_names))
        graph = loaded.recipe.task.deployed(compiled.graphs)
        problems = [*judge(loaded, compiled).problems, *unfit_layers(loaded.recipe, graph)]
        if errors := [problem for problem in problems if problem.severity == "error"]:
            raise ProblemError(errors)
        counted = totals(compiled.graphs)
        return {name: counted[name] for name in ("macs", "parameters")} | self._of_file(loaded, graph)

    def _of_file(self, loaded: LoadedRecipe, graph: Graph) -> dict[str, int]:
        """Return what the file of the first export will take, as far as it is an objective."""
        tuning = self.space.loaded.recipe.tuning
        if tuning is None or not set(OF_FILE) & set(tuning.objectives):
            return {}
        try:
            made = forecast(planned_exports(loaded.recipe)[0], graph)
        except NotPredicted as error:
            raise ProblemError(Problem(f"its file is not predicted: {error.reason} ({error.node.name})")) from error
        return {"bytes": made.file_bytes, "arena": made.arena.total}


def _reason(problems: tuple[Problem, ...]) -> str:
    errors = [problem for problem in problems if problem.severity == "error"] or list(problems)
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    where = f"{errors[0].path}: " if errors[0].path else ""
    return f"{where}{errors[0].message}{more}"
