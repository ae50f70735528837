"""What is wrong with a search space: every path and every value is tried as a recipe, before anything is trained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from cnnpipe.errors import Path, Problem, ProblemError, dotted
from cnnpipe.recipe.load import LoadedRecipe, in_order, validated, with_root
from cnnpipe.recipe.overrides import locate
from cnnpipe.recipe.schema import Tuning
from cnnpipe.recipe.space import EPOCHS, Parameter, Space
from cnnpipe.yaml_nodes import Node, short

FIXED = {
    "name": "it only names runs",
    "seed": "the best of several seeds is luck, not a better recipe",
    "tuning": "a search does not search itself",
    "export": "files are written after training",
    "training.distribution": "it only says who computes",
    "task.type": "scores of different tasks cannot be compared",
    "data.source": "scores on different data cannot be compared",
    "data.split": "scores on different examples cannot be compared",
}
"""Paths that a space may not vary, and why."""
MOST_VALUES = 200
"""A choice of more values is checked at so many of them only, as each is a whole recipe; the others when drawn."""


def space_problems(loaded: LoadedRecipe) -> tuple[Problem, ...]:
    """Return what is wrong with the space of a recipe, in the order of places; nothing when it has none.

    What the schema refuses is an error. A value that contradicts other sections of the recipe as it stands is a
    warning, as it may fit together with other values.
    """
    tuning = loaded.recipe.tuning
    if tuning is None:
        return ()
    try:
        space = Space(loaded)
    except ProblemError as error:
        return tuple(error.problems)
    found = [*_limits(loaded, tuning), *_algorithm(loaded, tuning, space), *_processes(loaded)]
    for parameter in space.parameters:
        wrong = [*_spec(parameter, loaded), *_fixed(parameter)]
        found += wrong or _values(parameter, space)
    return tuple(in_order(found))


def _processes(loaded: LoadedRecipe) -> Iterator[Problem]:
    distribution = loaded.recipe.training.distribution
    if distribution and distribution.processes:
        hint = "Leave it out, and let several workers try candidates: cnnpipe tune --workers N."
        message = f"each trial of a search is trained in one process, and '{distribution.type}' takes several"
        yield loaded.located(Problem(message, path="training.distribution", hint=hint))


def described(loaded: LoadedRecipe) -> tuple[str, ...]:
    """Return what the search of a recipe is, and what each parameter of its space points to, one sentence each."""
    tuning = loaded.recipe.tuning
    if tuning is None:
        return ()
    space = Space(loaded)
    limits = [f"at most {tuning.max_trials} trials"] if tuning.max_trials else []
    limits += [f"at most {tuning.max_time}"] if tuning.max_time else []
    count = _combinations(space)
    size = f" ({count:,} combinations)" if count is not None else ""
    names = f"{len(space.parameters)} parameter{'s' * (len(space.parameters) != 1)}"
    head = f"tuning by {tuning.algorithm.type} over {names}{size}{''.join(f', {limit}' for limit in limits)}"
    return (head, *(_points_to(parameter, space) for parameter in space.parameters))


def _combinations(space: Space) -> int | None:
    """Return how many candidates there are, when they are counted and no parameter depends on another."""
    total = 1
    for parameter in space.parameters:
        count = parameter.spec.count()
        if count is None or parameter.parents:
            return None
        total *= count
    return total


def _points_to(parameter: Parameter, space: Space) -> str:
    codes = space.codes_with(parameter.name, parameter.spec.ends()[0])
    path = locate(space.root(codes), parameter.name, parameter.place)
    old = space.loaded.root.find(path)
    said, meant = parameter.name, dotted(path)
    where = f"{said} is {meant}" if said != meant else said
    now = f"{short(old.plain())} at {old.key_place}" if old is not None else "not set"
    when = "; ".join(f"{parent} is {', '.join(map(str, _labels(space, parent, known)))}"
                     for parent, known in parameter.parents.items())  # fmt: skip
    return f"tuning: {where}, now {now}: {parameter.spec.text()}{f', when {when}' if when else ''}"


def _labels(space: Space, name: str, codes: tuple[object, ...]) -> list[str]:
    return [space[name].spec.label(code) for code in codes]


def _limits(loaded: LoadedRecipe, tuning: Tuning) -> Iterator[Problem]:
    place = loaded.place_of(("tuning",))
    if not tuning.algorithm.ends_by_itself and tuning.max_trials is None and tuning.max_time is None:
        yield Problem(f"the search by '{tuning.algorithm.type}' would never end", place, "tuning",
                      "Write 'max_trials' or 'max_time'.")  # fmt: skip
    for number, objective in enumerate(tuning.objectives):
        here: Path = ("tuning", "objectives", number)
        if objective in ("bytes", "arena", "latency") and not loaded.recipe.export:
            yield Problem(f"'{objective}' is of the first export's file, and there is no export",
                          loaded.place_of(here), dotted(here), "Add an export.")  # fmt: skip
        elif objective == "arena" and not loaded.recipe.export[0].target.has_arena:
            target = loaded.recipe.export[0].target.type
            yield Problem(f"the target of the first export, '{target}', has no arena", loaded.place_of(here),
                          dotted(here), "Put an export for a microcontroller first.")  # fmt: skip
        if objective in tuning.objectives[:number]:
            yield Problem(
                f"'{objective}' is named twice", loaded.place_of(here), dotted(here), "Delete one of the two."
            )


def _algorithm(loaded: LoadedRecipe, tuning: Tuning, space: Space) -> Iterator[Problem]:
    kind, place = tuning.algorithm, loaded.place_of(("tuning", "algorithm"))
    for parameter in space.parameters:
        path = f"tuning.space.{parameter.name}"
        if kind.needs_steps and parameter.spec.count() is None:
            yield Problem(f"'{kind.type}' tries all values, and these are not counted", parameter.place, path,
                          "Write 'step', or a choice.")  # fmt: skip
        if kind.sets_epochs and parameter.name.startswith((EPOCHS, "training.phases")):
            yield Problem(f"'{kind.type}' decides how long a candidate is trained", parameter.place, path,
                          "Take it out of the space.")  # fmt: skip
    if kind.sets_epochs and loaded.recipe.training.phases:
        yield Problem(f"'{kind.type}' decides how many epochs a candidate is trained, and here phases say it", place,
                      "tuning.algorithm", "Choose another algorithm, or a training without phases.")  # fmt: skip
    if kind.sets_epochs and len(tuning.objectives) > 1:
        message = f"'{kind.type}' goes on with the best by one objective (received {len(tuning.objectives)})"
        yield Problem(message, place, "tuning.algorithm", "Choose random, bayesian or grid.")


def _spec(parameter: Parameter, loaded: LoadedRecipe) -> Iterator[Problem]:
    for key, message in parameter.spec.contradictions():
        path: Path = ("tuning", "space", parameter.name, key)
        yield Problem(message, loaded.place_of(path), dotted(path))


def _fixed(parameter: Parameter) -> Iterator[Problem]:
    for path, why in FIXED.items():
        if parameter.name == path or parameter.name.startswith(f"{path}."):
            yield Problem(f"'{path}' cannot vary: {why}", parameter.place, f"tuning.space.{parameter.name}",
                          "Take it out of the space.")  # fmt: skip


def _values(parameter: Parameter, space: Space) -> list[Problem]:
    """Return what is wrong with any value of a parameter, once each."""
    found: list[Problem] = []
    try:  # a path that leads nowhere is one problem, not one of each value
        space.root(space.codes_with(parameter.name, parameter.spec.ends()[0]))
    except ProblemError as error:
        return [replace(p, path=f"tuning.space.{parameter.name}") for p in error.problems]
    for code in parameter.spec.ends()[:MOST_VALUES]:
        codes = space.codes_with(parameter.name, code)
        root = space.root(codes)
        try:
            with_root(space.loaded, root)
        except ProblemError as error:
            found += _refused(error, parameter, code, root)
    times = Counter((problem.path, problem.message) for problem in found)
    return [  # what is wrong with several values is wrong with the parameter
        problem if times[problem.path, problem.message] == 1 else replace(problem, place=parameter.place)
        for problem in found
    ]


def _refused(error: ProblemError, parameter: Parameter, code: Any, root: Node) -> list[Problem]:
    try:
        validated(root)
    except ProblemError as schema:
        return [replace(p, place=p.place or parameter.place) for p in schema.problems]
    first = error.problems[0]
    said = f"with '{parameter.spec.label(code)}' and all else as it stands, candidates are rejected: {first.message}"
    return [Problem(said, parameter.place, f"tuning.space.{parameter.name}", first.hint, severity="warning")]
