"""The space of a search: which paths of a recipe may vary, and the recipe that each candidate is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cnnpipe.errors import Path, Place, Problem, ProblemError, dotted
from cnnpipe.hyperparameters import Hyperparameter
from cnnpipe.recipe.load import LoadedRecipe, with_root
from cnnpipe.recipe.overrides import changed, locate
from cnnpipe.yaml_nodes import Node, short

EPOCHS = "training.epochs"


@dataclass(frozen=True)
class Parameter:
    """One parameter of a space.

    Args:
        name: Its path as the space says it.
        spec: What it may be.
        parents: The codes with which each other parameter lets it be there, by name.
        place: Where the space says it.
    """

    name: str
    spec: Hyperparameter
    parents: Mapping[str, tuple[Any, ...]]
    place: Place

    def active(self, codes: Mapping[str, Any]) -> bool:
        """Whether a candidate has this parameter."""
        return all(codes.get(parent) in known for parent, known in self.parents.items())


class Space:
    """The parameters of a recipe that may vary, each after those that it depends on.

    Args:
        loaded: A recipe with a section `tuning`.

    Raises:
        ProblemError: What parameters depend on is not in the space, or depends on them.
    """

    def __init__(self, loaded: LoadedRecipe) -> None:
        self.loaded = loaded
        tuning = loaded.recipe.tuning
        assert tuning is not None  # noqa: S101
        problems: list[Problem] = []
        found = {name: _parameter(name, loaded, problems) for name in tuning.space}
        if problems:
            raise ProblemError(problems)
        self.parameters = tuple(_in_order(found))

    def __getitem__(self, name: str) -> Parameter:
        return next(parameter for parameter in self.parameters if parameter.name == name)

    def active(self, codes: Mapping[str, Any]) -> dict[str, Any]:
        """Return the codes of the parameters that a candidate has, without what else an algorithm wrote."""
        return {p.name: codes[p.name] for p in self.parameters if p.name in codes and p.active(codes)}

    def settings(self, codes: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of a candidate by path."""
        return {name: self[name].spec.value(code) for name, code in self.active(codes).items()}

    def labels(self, codes: Mapping[str, Any]) -> dict[str, str]:
        """Return what tables call the values of a candidate, by path."""
        return {name: self[name].spec.label(code) for name, code in self.active(codes).items()}

    def root(self, codes: Mapping[str, Any], epochs: int | None = None) -> Node:
        """Return the content of a candidate's recipe, without the section `tuning`.

        Raises:
            ProblemError: A path leads nowhere, at its place in the space.
        """
        root = without_tuning(self.loaded.root)
        active = sorted(self.active(codes), key=lambda name: name.count("."))  # the whole before its parts
        for name in active:
            parameter = self[name]
            try:
                path = locate(root, name, parameter.place)
            except ProblemError as error:
                raise ProblemError(replace(p, path="") for p in error.problems) from None
            root = changed(root, path, self._node(parameter, codes[name]), parameter.place)
        if epochs is not None:
            place = self.loaded.place_of(("tuning",)) or root.place
            root = changed(root, ("training", "epochs"), Node(epochs, place, place), place)
        return root

    def candidate(self, codes: Mapping[str, Any], epochs: int | None = None) -> LoadedRecipe:
        """Return the recipe that a candidate is.

        Args:
            codes: What was drawn for each parameter; more than the space has is ignored.
            epochs: Epochs in the place of the recipe's.

        Raises:
            ProblemError: It is no recipe; with all problems.
        """
        return with_root(self.loaded, self.root(codes, epochs))

    def codes_with(self, name: str, code: Any) -> dict[str, Any]:
        """Return a candidate that has a parameter with this code; all else stays as it is in the recipe, if it can."""
        codes = {name: code}
        waiting = [name]
        while waiting:
            for parent, known in self[waiting.pop()].parents.items():
                if parent not in codes:
                    codes[parent] = known[0]
                    waiting.append(parent)
        return codes

    def said(self, codes: Mapping[str, Any]) -> Mapping[Path, Any]:
        """Return the values of a candidate by the path to which each leads in the recipe."""
        root = self.root(codes)
        return {locate(root, name, self[name].place): value for name, value in self.settings(codes).items()}

    def _node(self, parameter: Parameter, code: Any) -> Node:
        """Return the value of a code, at its place in the space."""
        item = self.loaded.root.find(("tuning", "space", parameter.name, "values", code))
        if isinstance(parameter.spec.value(code), (dict, tuple, list)) and item is not None:
            return item
        place = item.place if item is not None else parameter.place
        return Node(parameter.spec.value(code), place, place)


def without_tuning(root: Node) -> Node:
    """Return a recipe's content without that section: a candidate is not tuned again."""
    return replace(root, value={key: node for key, node in root.value.items() if key != "tuning"})


def _parameter(name: str, loaded: LoadedRecipe, problems: list[Problem]) -> Parameter:
    tuning = loaded.recipe.tuning
    assert tuning is not None  # noqa: S101
    here: Path = ("tuning", "space", name)
    parents: dict[str, tuple[Any, ...]] = {}
    for parent, wanted in (tuning.space[name].when or {}).items():
        place = loaded.place_of((*here, "when", parent))
        where = dotted((*here, "when", parent))
        if parent not in tuning.space or parent == name:
            others = ", ".join(other for other in tuning.space if other != name) or "none"
            problems.append(
                Problem(f"'{parent}' is no other parameter of this space", place, where, f"Others: {others}.")
            )
            continue
        parents[parent] = tuple(_codes(tuning.space[parent], wanted))
        if None in parents[parent]:
            known = tuning.space[parent].text()
            problems.append(Problem(f"'{parent}' is never {short(wanted)}", place, where, f"It may be: {known}."))
    return Parameter(name, tuning.space[name], parents, loaded.place_of(here) or loaded.root.place)


def _codes(spec: Hyperparameter, wanted: Any) -> list[Any]:
    """Return the codes that a condition names; None for what is not among the values."""
    said = [str(one).lower() if isinstance(one, bool) else str(one) for one in _several(wanted)]
    known = {spec.label(code): code for code in spec.ends()} if spec.count() == len(spec.ends()) else {}
    return [known.get(one) for one in said]


def _several(wanted: Any) -> Sequence[Any]:
    return wanted if isinstance(wanted, (tuple, list)) else (wanted,)


def _in_order(found: Mapping[str, Parameter]) -> list[Parameter]:
    ordered: dict[str, Parameter] = {}
    waiting = dict(found)
    while waiting:
        ready = [p for p in waiting.values() if all(parent in ordered for parent in p.parents)]
        if not ready:
            raise ProblemError(
                Problem("depends on itself, by way of 'when'", p.place, f"tuning.space.{p.name}")
                for p in waiting.values()
            )
        ordered |= {p.name: p for p in ready}
        waiting = {name: p for name, p in waiting.items() if name not in ordered}
    return list(ordered.values())
