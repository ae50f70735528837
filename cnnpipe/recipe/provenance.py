"""Who set each value of a recipe."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from cnnpipe.errors import Path, Place, dotted
from cnnpipe.recipe.schema import Recipe
from cnnpipe.yaml_nodes import Node


def provenance(recipe: Recipe, root: Node) -> dict[str, str]:
    """Return who set each single value, by dotted path: `recipe.yaml:12`, `--set 1` or `default`."""
    return {dotted(path): who(root, path) for path, _ in leaves(recipe.model_dump())}


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Return all single values with their paths; empty lists and mappings count as values."""
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (tuple, list)) else ()
    )
    if not children or not value:
        yield path, value
        return
    for key, child in children:
        yield from leaves(child, (*path, key))


def who(root: Node, path: Path) -> str:
    """Return who set the value at `path`."""
    node = root.find(path)
    if node is None and path and path[-1] == "type":
        parent = root.find(path[:-1])
        node = parent if parent is not None and isinstance(parent.value, str) else None  # a bare name
    return _short(node.place) if node is not None else "default"


def _short(place: Place) -> str:
    return f"{os.path.basename(place.file)}:{place.line}" if place.line else place.file
