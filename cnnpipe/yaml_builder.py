"""Builds values with places from the events of a YAML parser, and refuses what a recipe must not hold.

Scalars follow the YAML 1.2 core schema (https://yaml.org/spec/1.2.2, section 10.3): `1e-3` is a number, `no` is text.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from cnnpipe.errors import Place, Problem, ProblemError
from cnnpipe.yaml_nodes import Node, short

MAX_DEPTH = 50
MAX_VALUES = 30_000
MAX_DIGITS = 20
MAX_INT = 2**53

_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def scalar(text: str) -> str | int | float | bool | None:
    """Return what an unquoted scalar means by the YAML 1.2 core schema."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        return int(text[:MAX_DIGITS], 0 if text[:2] in ("0o", "0x") else 10)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _SPECIAL.fullmatch(text):
        return float(text.lower().replace(".", ""))
    return text


def _error(place: Place, message: str, hint: str = "") -> ProblemError:
    return ProblemError(Problem(message, place, hint=hint))


class _Frame:
    """A mapping or list that is being read."""

    def __init__(self, place: Place, anchor: str | None, is_mapping: bool) -> None:
        self.place, self.anchor, self.is_mapping = place, anchor, is_mapping
        self.items: list[Node] = []
        self.entries: dict[str, Node] = {}
        self.key: tuple[str, Place] | None = None

    def node(self) -> Node:
        """Return the finished node."""
        children = list(self.entries.values()) if self.is_mapping else self.items
        size = 1 + sum(child.size for child in children)
        height = 1 + max((child.height for child in children), default=0)
        return Node(self.entries if self.is_mapping else tuple(self.items), self.place, self.place, size, height)


class Builder:
    """Builds nodes from parser events, without recursion."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.root = Node(None, Place(file, 1, 1), Place(file, 1, 1))
        self.problems: list[Problem] = []
        self._frames: list[_Frame] = []
        self._anchors: dict[str, Node] = {}
        self._documents = 0
        self._count = 0

    def take(self, event: Any) -> None:
        """Take the next event."""
        kind = type(event).__name__
        place = Place(self.file, event.start_mark.line + 1, event.start_mark.column + 1)
        if kind == "DocumentStartEvent":
            self._document(event, place)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self._open(event, place, kind == "MappingStartEvent")
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            frame = self._frames.pop()
            self._value(frame.node(), frame.anchor)
        elif kind == "ScalarEvent":
            self._refuse_tag(event, place)
            plain = event.style is None
            value = scalar(event.value) if plain else event.value
            self._scalar(Node(value, place, place), event.anchor, merge=plain and event.value == "<<")
        elif kind == "AliasEvent":
            self._alias(event.anchor, place)

    def _document(self, event: Any, place: Place) -> None:
        self._documents += 1
        if self._documents > 1:
            raise _error(place, "a second document begins here ('---')", "Keep one recipe per file.")
        if event.version or event.tags:
            raise _error(place, "the lines before '---' that begin with '%' are not used in recipes", "Delete them.")

    def _refuse_tag(self, event: Any, place: Place) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None and str(tag) != "!":
            shown = str(tag).replace("tag:yaml.org,2002:", "!!")
            self.problems.append(
                Problem(
                    f"tags are not used in recipes (received '{shown}')",
                    place,
                    hint="Delete the tag; put text that looks like a number in quotes.",
                )
            )

    def _open(self, event: Any, place: Place, is_mapping: bool) -> None:
        self._refuse_tag(event, place)
        if self._frames and self._frames[-1].is_mapping and self._frames[-1].key is None:
            raise _error(
                place,
                "a key must be text, and is a list or mapping",
                "Write the list or mapping after 'key:', or put a text that starts with a bracket in quotes.",
            )
        if len(self._frames) >= MAX_DEPTH:
            raise _error(place, f"nested more than {MAX_DEPTH} levels deep")
        self._frames.append(_Frame(place, event.anchor, is_mapping))

    def _scalar(self, node: Node, anchor: str | None, merge: bool) -> None:
        frame = self._frames[-1] if self._frames else None
        if isinstance(node.value, int) and abs(node.value) > MAX_INT:
            self.problems.append(Problem(f"a whole number may be at most {MAX_INT:,}", node.place))
        if frame is None or not frame.is_mapping or frame.key is not None:
            return self._value(node, anchor)
        if merge:
            self.problems.append(
                Problem(
                    "merge keys ('<<') are not used in recipes",
                    node.place,
                    hint="Put what is shared into a file of its own and name it with 'extends'.",
                )
            )
        elif not isinstance(node.value, str):
            self.problems.append(
                Problem(
                    f"a key must be text (received {short(node.value)})",
                    node.place,
                    hint="Put it in quotes, if it is meant as a name.",
                )
            )
        if anchor:
            self._anchors[anchor] = node
        frame.key = str(node.value), node.place
        return None

    def _alias(self, anchor: str, place: Place) -> None:
        node = self._anchors.get(anchor)
        if any(frame.anchor == anchor for frame in self._frames):
            raise _error(place, f"the alias '*{anchor}' stands inside the value that it repeats")
        if node is None:
            raise _error(
                place,
                f"the alias '*{anchor}' has no anchor '&{anchor}' before it",
                "Put a text that starts with '*' in quotes.",
            )
        if len(self._frames) + node.height > MAX_DEPTH:
            raise _error(place, f"nested more than {MAX_DEPTH} levels deep by the alias '*{anchor}'")
        frame = self._frames[-1] if self._frames else None
        if frame and frame.is_mapping and frame.key is None:
            return self._scalar(replace(node, place=place), None, merge=False)
        return self._value(node, None)

    def _value(self, node: Node, anchor: str | None) -> None:
        self._count += 1
        if max(node.size, self._count) > MAX_VALUES:
            raise _error(node.place, f"holds more than {MAX_VALUES:,} values", "Aliases ('*name') may multiply them.")
        if anchor:
            self._anchors[anchor] = node
        if not self._frames:
            self.root = node
            return
        frame = self._frames[-1]
        if frame.key is None:
            frame.items.append(node)
            return
        (key, place), frame.key = frame.key, None
        if key in frame.entries:
            first = frame.entries[key].key_place
            self.problems.append(
                Problem(
                    f"the key '{key}' stands twice; first in line {first.line}", place, hint="Delete one of the two."
                )
            )
            return
        frame.entries[key] = replace(node, key_place=place)
