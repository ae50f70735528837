"""Turns what the schema found into problems that a person can act on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from cnnpipe.errors import Path, Problem, dotted
from cnnpipe.recipe import vocabulary
from cnnpipe.recipe.mistakes import MANY, Mistake, choices_of, expected_of, key_hint, value_hint
from cnnpipe.recipe.where import keys_at
from cnnpipe.registry import room, rooms
from cnnpipe.spec import Spec
from cnnpipe.yaml_nodes import Node, short


def schema_problems(error: ValidationError, root: Node) -> list[Problem]:
    """Return all that the schema found, each once, at its place, without mere consequences of others."""
    mistakes = [_mistake(found, root) for found in error.errors(include_url=False)]
    mistakes = _without_consequences(mistakes)
    problems = [problem for group in _by_union(mistakes) for problem in _problems(group, root)]
    suggested = {problem.hint for problem in problems if problem.hint.startswith("Did you mean")}
    return [p for p in problems if not _suggested_already(p, suggested, problems)]


def _mistake(found: Any, root: Node) -> Mistake:
    node: Node | None = root
    path: list[str | int] = []
    rest: list[str | int] = []
    union: Path | None = None
    for part in found["loc"]:
        child = node.child(part) if node else None
        if child is not None:
            path.append(part)
            node = child
        elif found["type"] != "missing" or part != found["loc"][-1]:
            union = tuple(path) if union is None else union
            rest.append(part)
        else:
            rest.append(part)
    context = found.get("ctx", {})
    return Mistake(found["type"], tuple(path), tuple(rest), union, context, found["input"], found["msg"])


def _without_consequences(mistakes: Sequence[Mistake]) -> list[Mistake]:
    paths = [mistake.path for mistake in mistakes]

    def follows(mistake: Mistake) -> bool:
        depth = len(mistake.path)
        return mistake.kind == "too_short" and any(len(p) > depth and p[:depth] == mistake.path for p in paths)

    return [mistake for mistake in mistakes if not follows(mistake)]


def _by_union(mistakes: Sequence[Mistake]) -> list[list[Mistake]]:
    groups: dict[object, list[Mistake]] = {}
    for number, mistake in enumerate(mistakes):
        groups.setdefault(number if mistake.union is None else mistake.union, []).append(mistake)
    return list(groups.values())


def _problems(group: Sequence[Mistake], root: Node) -> list[Problem]:
    if len(group) == 1:
        return [_problem(group[0], root)]
    best = [mistake for mistake in group if mistake.path != mistake.union or not mistake.is_mismatch]
    if best:
        return [_problem(mistake, root) for mistake in best]
    return [_unexpected(group, root)]


def _unexpected(group: Sequence[Mistake], root: Node) -> Problem:
    """Return the problem of a value that is nothing of what was expected."""
    received = group[0].received
    choices = [word for mistake in group for word in choices_of(mistake)]
    guess = vocabulary.suggestion(received, choices, vocabulary.VALUES) if isinstance(received, str) else None
    phrases = list(dict.fromkeys(expected_of(mistake, brief=guess is not None) for mistake in group))
    expected = " or ".join(phrases)
    hint = f"Did you mean '{guess}'?" if guess else value_hint(received, choices, expected)
    if any(mistake.kind == "model_type" for mistake in group) and (keys := keys_at(group[0].path, root)):
        hint = f"Its keys are {', '.join(keys)}."
    return _located(root, group[0].path, f"expected {expected} (received {short(received)})", hint)


def _located(root: Node, path: Path, message: str, hint: str = "") -> Problem:
    return Problem(message, root.closest(path).key_place, dotted(path), hint)


def _problem(mistake: Mistake, root: Node) -> Problem:
    path, kind, context = mistake.path, mistake.kind, mistake.context
    if kind == "missing":
        return _missing(mistake, root)
    if kind == "unknown_key":
        return _located(root, path, f"unknown key '{context['key']}'", key_hint(context, path, root))
    if kind == "component_missing_type":
        known = _listed(context.get("known", []), context["room"])
        return _located(root, path, "needs the key 'type'", known)
    if kind == "component_unknown":
        return _unknown_type(mistake, root)
    if kind == "component_misplaced":
        known = _listed(context["known"], context["room"])
        place = (*path, "type") if root.find((*path, "type")) else path
        return _located(root, place, f"the type '{context['name']}' is not for this place", known)
    if kind in ("too_short", "too_long"):
        bound = "at least" if kind == "too_short" else "at most"
        size = context["min_length"] if kind == "too_short" else context["max_length"]
        count = len(mistake.received) if isinstance(mistake.received, (tuple, list)) else context.get("actual_length")
        return _located(root, path, f"needs {bound} {size} item{'s' * (size != 1)} (received {count or 'none'})")
    if kind in ("value_error", "assertion_error"):
        return _located(root, path, mistake.text.split(", ", 1)[-1].rstrip("."))
    if kind == "literal_error" and len(choices_of(mistake)) == 1 and path[-1:] == ("type",):
        return _unknown_type(mistake, root)
    return _unexpected([mistake], root)


def _missing(mistake: Mistake, root: Node) -> Problem:
    key = mistake.rest[-1]
    if isinstance(key, int):
        return _located(root, mistake.path, f"needs at least {key + 1} items")
    if not mistake.path:
        return _located(root, (), f"the section '{key}' is missing")
    listed = any(here.name == f"{key}s" for here in rooms())
    hint = _listed_all(f"{key}s") if listed else vocabulary.MEANINGS.get(key, "")
    bare = root.find(mistake.path)
    if hint and bare is not None and isinstance(bare.value, str):
        hint = f"Write {{type: {bare.value}, {key}: …}}; {hint}"
    return _located(root, mistake.path, f"needs the key '{key}'", hint)


def _unknown_type(mistake: Mistake, root: Node) -> Problem:
    context = mistake.context
    known = list(context.get("known", choices_of(mistake)))
    node = root.closest((*mistake.path, "type"))
    name = short(node.plain())
    path = (*mistake.path, "type") if root.find((*mistake.path, "type")) else mistake.path
    message = (
        f"there is no type {name}" if isinstance(node.value, str) else f"expected the name of a type (received {name})"
    )
    here = room(context["room"]) if "room" in context else None
    specs = {name: here.load(name) for name in known} if here else {}
    words = {name: spec.also_called for name, spec in specs.items()}
    guess = vocabulary.suggestion(str(node.value), known, words) if isinstance(node.value, str) else None
    meant = _meant(str(node.value), specs) or (f"'{guess}'" if guess else "")
    hint = f"Did you mean {meant}?" if meant else _listed(known, context.get("room", ""))
    return _located(root, path, message, hint)


def _meant(word: str, specs: Mapping[str, type[Spec]]) -> str:
    """Return the type and options that another tool calls `word`, as a recipe writes them; may be empty."""
    for name, spec in specs.items():
        if options := spec.meant_by(word):
            return "{" + ", ".join(f"{key}: {value}" for key, value in {"type": name, **options}.items()) + "}"
    return ""


def _listed(known: Sequence[str], room: str) -> str:
    if not known:
        return _listed_all(room) if room else ""
    if len(known) > MANY:
        return _listed_all(room)
    return f"Known types: {', '.join(known)}."


def _listed_all(room: str) -> str:
    return f"'cnnpipe list {room}' shows all types."


def _suggested_already(problem: Problem, hints: set[str], problems: Sequence[Problem]) -> bool:
    """Whether a missing key was already suggested for a misspelt one beside it."""
    match = re.fullmatch(r"(?:needs the key|the section) '([^']*)'(?: is missing)?", problem.message)
    if not match:
        return False
    wanted = f"Did you mean '{match[1]}'?"
    return wanted in hints and any(p.hint == wanted and p.path.rpartition(".")[0] == problem.path for p in problems)
