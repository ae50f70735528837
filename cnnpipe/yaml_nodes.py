"""Values with the places where they stand, and how a message shows a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnnpipe.errors import Path, Place


@dataclass(frozen=True)
class Node:
    """A value with its places.

    Args:
        value: A scalar, a tuple of nodes, or a dict of nodes by key.
        place: Where the value stands.
        key_place: Where its key stands; for an item of a list and for the top, where the value stands.
        size: Number of values in it, itself and aliases included.
        height: How many levels are below it.
    """

    value: Any
    place: Place
    key_place: Place
    size: int = 1
    height: int = 0

    def child(self, part: str | int) -> Node | None:
        """Return the node one step down, or None when there is none."""
        if isinstance(self.value, dict):
            return self.value.get(part)
        if isinstance(self.value, tuple) and isinstance(part, int) and 0 <= part < len(self.value):
            return self.value[part]  # type: ignore[no-any-return]
        return None

    def find(self, path: Path) -> Node | None:
        """Return the node at `path`, or None."""
        node: Node | None = self
        for part in path:
            node = node.child(part) if node else None
        return node

    def closest(self, path: Path) -> Node:
        """Return the node at `path`, or its nearest ancestor."""
        node = self
        for part in path:
            child = node.child(part)
            if child is None:
                return node
            node = child
        return node

    def plain(self, list_type: type = list) -> Any:
        """Return the value as plain dicts, lists (or `list_type`) and scalars."""
        if isinstance(self.value, dict):
            return {key: node.plain(list_type) for key, node in self.value.items()}
        if isinstance(self.value, tuple):
            return list_type(node.plain(list_type) for node in self.value)
        return self.value


def short(value: Any) -> str:
    """Return a value as a message shows it: as in YAML, cut when long."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return f"a mapping with {_list_of(value)}" if value else "an empty mapping"
    if isinstance(value, (list, tuple)):
        text = "[" + ", ".join(str(item) for item in value) + "]"
        simple = all(isinstance(item, (str, int, float)) for item in value)
        return text if simple and len(text) <= 40 else f"a list of {len(value)}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:37] + "...")
    return str(value)


def _list_of(value: Mapping[str, Any]) -> str:
    keys = [f"'{key}'" for key in value]
    return ", ".join(keys) if len(keys) <= 3 else f"{len(keys)} keys"
