"""One finding of the schema: what was expected there, and what the user may do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnnpipe.errors import Path, dotted
from cnnpipe.recipe import vocabulary
from cnnpipe.recipe.where import inside_a_sibling, where_legal
from cnnpipe.spec import nearest
from cnnpipe.yaml_nodes import Node

_KINDS = {
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
class Mistake:
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
        return self.kind in _KINDS or self.kind == "literal_error"


def expected_of(mistake: Mistake, brief: bool) -> str:
    """Return what was expected, to follow the word `expected`; `brief` names only some of many words."""
    kind, context = mistake.kind, mistake.context
    if kind in _KINDS:
        return _KINDS[kind]
    if kind == "string_too_short" and context["min_length"] == 1:
        return "text that is not empty"
    if kind in _RANGES:
        text, key = _RANGES[kind]
        return text.format(f"{context[key]:g}" if isinstance(context[key], float) else f"{context[key]:,}")
    if kind == "literal_error":
        choices = [f"'{word}'" for word in choices_of(mistake)] or [str(context["expected"])]
        if brief and len(choices) > MANY:
            return f"one of {len(choices)} words such as {', '.join(choices[:3])}"
        return f"one of {', '.join(choices)}" if len(choices) > 1 else choices[0]
    if kind == "finite_number":
        return "a finite number"
    if kind == "string_pattern_mismatch":
        return _NAMES.get(context["pattern"], f"text that fits the pattern {context['pattern']}")
    return (mistake.text[:1].lower() + mistake.text[1:]).removeprefix("expected ").rstrip(".")


def choices_of(mistake: Mistake) -> list[str]:
    """Return the words that are legal: those of a `Literal`, or what a check of our own gives as `known`."""
    if mistake.kind != "literal_error":
        return list(mistake.context.get("known", ()))
    return re.findall(r"'([^']*)'", str(mistake.context.get("expected", "")))


def value_hint(received: Any, choices: Sequence[str], expected: str) -> str:
    """Return what to write in the place of a value of the wrong kind; may be empty."""
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
    if received is None and expected == _KINDS["model_type"]:
        return "Write its keys below it, indented."
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


def key_hint(context: Mapping[str, Any], path: Path, root: Node) -> str:
    """Return what to write in the place of an unknown key."""
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
    if beside := inside_a_sibling(key, root, path):
        return f"Write {beside}."
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
