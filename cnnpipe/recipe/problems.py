"""Turns what the schema found into problems that a person can act on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from cnnpipe.errors import Path, Problem, dotted
from cnnpipe.located_yaml import Node, short
from cnnpipe.recipe import vocabulary
from cnnpipe.recipe.where import where_legal
from cnnpipe.registry import room
from cnnpipe.spec import nearest

_TYPES = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "none_required": "nothing (null)",
    "component_type": "a name, or a mapping with a 'type'",
}
_RANGES = {
    "greater_than": ("a number above {}", "gt"),
    "greater_than_equal": ("a number of at least {}", "ge"),
    "less_than": ("a number below {}", "lt"),
    "less_than_equal": ("a number of at most {}", "le"),
    "multiple_of": ("a multiple of {}", "multiple_of"),
    "string_too_short": ("text of at least {} characters", "min_length"),
    "string_too_long": ("text of at most {} characters", "max_length"),
}
MANY = 10
"""From how many words on a message gives examples instead of all."""
_NAMES = {r"^[A-Za-z0-9][A-Za-z0-9_.-]*$": "a name of letters, digits, '_', '-' and '.'"}


@dataclass(frozen=True)
class _Mistake:
    """One finding of the schema, with its place in the recipe.

    Args:
        kind: pydantic's error type.
        path: Where it is; for a missing key, the mapping that lacks it.
        rest: The parts of pydantic's location that are no recipe path: a missing key, or the branch of a union.
        union: Path of the value that a union was tried on, or None.
    """

    kind: str
    path: Path
    rest: tuple[str | int, ...]
    union: Path | None
    context: Mapping[str, Any]
    received: Any
    text: str

    @property
    def is_mismatch(self) -> bool:
        """Whether the value is of another kind than was expected, so that other branches of a union may fit better."""
        return self.kind in _TYPES or self.kind == "literal_error"


def schema_problems(error: ValidationError, root: Node) -> list[Problem]:
    """Return all that the schema found, each once, at its place, without mere consequences of others."""
    mistakes = [_mistake(found, root) for found in error.errors(include_url=False)]
    mistakes = _without_consequences(mistakes)
    problems = [problem for group in _by_union(mistakes) for problem in _problems(group, root)]
    suggested = {problem.hint for problem in problems if problem.hint.startswith("Did you mean")}
    return [p for p in problems if not _suggested_already(p, suggested, problems)]


def _mistake(found: Any, root: Node) -> _Mistake:
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
    return _Mistake(found["type"], tuple(path), tuple(rest), union, context, found["input"], found["msg"])


def _without_consequences(mistakes: Sequence[_Mistake]) -> list[_Mistake]:
    paths = [mistake.path for mistake in mistakes]

    def follows(mistake: _Mistake) -> bool:
        depth = len(mistake.path)
        return mistake.kind == "too_short" and any(len(p) > depth and p[:depth] == mistake.path for p in paths)

    return [mistake for mistake in mistakes if not follows(mistake)]


def _by_union(mistakes: Sequence[_Mistake]) -> list[list[_Mistake]]:
    groups: dict[object, list[_Mistake]] = {}
    for number, mistake in enumerate(mistakes):
        groups.setdefault(number if mistake.union is None else mistake.union, []).append(mistake)
    return list(groups.values())


def _problems(group: Sequence[_Mistake], root: Node) -> list[Problem]:
    if len(group) == 1:
        return [_problem(group[0], root)]
    best = [mistake for mistake in group if mistake.path != mistake.union or not mistake.is_mismatch]
    if best:
        return [_problem(mistake, root) for mistake in best]
    return [_unexpected(group, root)]


def _unexpected(group: Sequence[_Mistake], root: Node) -> Problem:
    """Return the problem of a value that is nothing of what was expected."""
    received = group[0].received
    choices = [word for mistake in group for word in _choices(mistake)]
    guess = vocabulary.suggestion(received, choices, vocabulary.VALUES) if isinstance(received, str) else None
    phrases = list(dict.fromkeys(_expected(mistake, brief=guess is not None) for mistake in group))
    expected = " or ".join(phrases)
    hint = f"Did you mean '{guess}'?" if guess else _value_hint(received, choices, expected)
    return _located(root, group[0].path, f"expected {expected} (received {short(received)})", hint)


def _located(root: Node, path: Path, message: str, hint: str = "") -> Problem:
    return Problem(message, root.closest(path).key_place, dotted(path), hint)


def _problem(mistake: _Mistake, root: Node) -> Problem:
    path, kind, context = mistake.path, mistake.kind, mistake.context
    if kind == "missing":
        return _missing(mistake, root)
    if kind == "unknown_key":
        return _located(root, path, f"unknown key '{context['key']}'", _key_hint(context, path, root))
    if kind == "component_missing_type":
        known = _listed(context.get("known", []), context["room"])
        return _located(root, path, "needs the key 'type'", known)
    if kind == "component_unknown":
        return _unknown_type(mistake, root)
    if kind in ("too_short", "too_long"):
        bound = "at least" if kind == "too_short" else "at most"
        size = context["min_length"] if kind == "too_short" else context["max_length"]
        count = len(mistake.received) if isinstance(mistake.received, (tuple, list)) else context.get("actual_length")
        return _located(root, path, f"needs {bound} {size} item{'s' * (size != 1)} (received {count or 'none'})")
    if kind in ("value_error", "assertion_error"):
        return _located(root, path, mistake.text.split(", ", 1)[-1].rstrip("."))
    if kind == "literal_error" and len(_choices(mistake)) == 1 and path[-1:] == ("type",):
        return _unknown_type(mistake, root)
    return _unexpected([mistake], root)


def _missing(mistake: _Mistake, root: Node) -> Problem:
    key = mistake.rest[-1]
    if isinstance(key, int):
        return _located(root, mistake.path, f"needs at least {key + 1} items")
    if not mistake.path:
        return _located(root, (), f"the section '{key}' is missing")
    return _located(root, mistake.path, f"needs the key '{key}'")


def _expected(mistake: _Mistake, brief: bool) -> str:
    kind, context = mistake.kind, mistake.context
    if kind in _TYPES:
        return _TYPES[kind]
    if kind == "string_too_short" and context["min_length"] == 1:
        return "text that is not empty"
    if kind in _RANGES:
        text, key = _RANGES[kind]
        return text.format(f"{context[key]:g}" if isinstance(context[key], float) else context[key])
    if kind == "literal_error":
        choices = [f"'{word}'" for word in _choices(mistake)] or [str(context["expected"])]
        if brief and len(choices) > MANY:
            return f"one of {len(choices)} words such as {', '.join(choices[:3])}"
        return f"one of {', '.join(choices)}" if len(choices) > 1 else choices[0]
    if kind == "finite_number":
        return "a finite number"
    if kind == "string_pattern_mismatch":
        return _NAMES.get(context["pattern"], f"text that fits the pattern {context['pattern']}")
    return (mistake.text[:1].lower() + mistake.text[1:]).removeprefix("expected ").rstrip(".")


def _choices(mistake: _Mistake) -> list[str]:
    """Return the words that are legal: those of a `Literal`, or what a check of our own gives as `known`."""
    if mistake.kind != "literal_error":
        return list(mistake.context.get("known", ()))
    return re.findall(r"'([^']*)'", str(mistake.context.get("expected", "")))


def _value_hint(received: Any, choices: Sequence[str], expected: str) -> str:
    if isinstance(received, str):
        if "true or false" in expected and received.lower() in ("yes", "no", "on", "off", "y", "n"):
            return f"Write {'true' if received.lower() in ('yes', 'on', 'y') else 'false'}."
        number = _number(received)
        if "number" in expected and number is not None:
            return f"Write it as {number}, without quotes."
    if received is False and "none" in choices:
        return "Did you mean 'none'?"
    if received is None and "none" in choices:
        return "Write 'none', or leave the key out."
    if received is None and "(null)" not in expected:
        return "Write a value after the ':', or delete the line."
    if "whole number" in expected and isinstance(received, float) and received.is_integer() and abs(received) < 1e15:
        return f"Write {int(received)}."
    if expected == "text" and isinstance(received, (int, float)):
        return "Put it in quotes."
    if expected == "a list":
        return "A list is written [a, b], or as lines that begin with '- '."
    return ""


def _number(text: str) -> str | None:
    plain = text.strip().replace("_", "").replace(",", "")
    return plain if re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", plain) else None


def _key_hint(context: Mapping[str, Any], path: Path, root: Node) -> str:
    key, known = str(context["key"]), list(context["known"])
    given = _given_beside(path, root)
    free = [name for name in known if name not in given]
    guess = vocabulary.suggestion(key, free, vocabulary.KEYS)
    if guess:
        return f"Did you mean '{guess}'?"
    if vocabulary.plain_word(key) in _NOT_NEEDED:
        return _NOT_NEEDED[vocabulary.plain_word(key)]
    elsewhere = where_legal(key, root, path)
    if elsewhere:
        where = dotted(elsewhere)
        return f"'{where}' is given already." if root.find(elsewhere) else f"Did you mean '{where}'?"
    also = vocabulary.foreign(key, known, vocabulary.KEYS) or nearest(key, known)
    if also:
        return f"'{also}' is given already."
    return f"Known keys: {', '.join(known)}." if known else "It has no keys but 'type'."


def _given_beside(path: Path, root: Node) -> set[str]:
    """Return the keys that the same file gives beside `path`: those of a parent recipe may well be meant."""
    siblings, node = root.closest(path[:-1]).value, root.closest(path)
    if not isinstance(siblings, dict):
        return set()
    return {key for key, sibling in siblings.items() if sibling.key_place.file == node.key_place.file}


_NOT_NEEDED = {vocabulary.plain_word(word): hint for word, hint in vocabulary.NOT_NEEDED.items()}


def _unknown_type(mistake: _Mistake, root: Node) -> Problem:
    context = mistake.context
    known = list(context.get("known", _choices(mistake)))
    node = root.closest((*mistake.path, "type"))
    name = short(node.plain())
    path = (*mistake.path, "type") if root.find((*mistake.path, "type")) else mistake.path
    message = (
        f"there is no type {name}" if isinstance(node.value, str) else f"expected the name of a type (received {name})"
    )
    here = room(context["room"]) if "room" in context else None
    words = {name: here.load(name).also_called for name in known} if here else {}
    guess = vocabulary.suggestion(str(node.value), known, words) if isinstance(node.value, str) else None
    hint = f"Did you mean '{guess}'?" if guess else _listed(known, context.get("room", ""))
    return _located(root, path, message, hint)


def _listed(known: Sequence[str], room: str) -> str:
    if not known:
        return f"'cnnpipe list {room}' shows all types." if room else ""
    if len(known) > MANY:
        return f"'cnnpipe list {room}' shows all types."
    return f"Known types: {', '.join(known)}."


def _suggested_already(problem: Problem, hints: set[str], problems: Sequence[Problem]) -> bool:
    """Whether a missing key was already suggested for a misspelt one beside it."""
    match = re.fullmatch(r"(?:needs the key|the section) '([^']*)'(?: is missing)?", problem.message)
    if not match:
        return False
    wanted = f"Did you mean '{match[1]}'?"
    return wanted in hints and any(p.hint == wanted and p.path.rpartition(".")[0] == problem.path for p in problems)
