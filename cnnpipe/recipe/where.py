"""Finds the section in which a misplaced key would be legal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from cnnpipe.errors import Path
from cnnpipe.recipe import vocabulary
from cnnpipe.recipe.schema import Recipe
from cnnpipe.registry import Component, room, rooms
from cnnpipe.spec import Spec
from cnnpipe.yaml_nodes import Node


def where_legal(key: str, root: Node, path: Path) -> Path | None:
    """Return the path that `key`, found at `path`, should have; None when there is none or more than one."""
    here = path[:-1]
    sections = list(_sections(Recipe, root, ()))
    same = [where for where, spec in sections if where != here and key in spec.model_fields and key != "type"]
    if len(same) == 1:
        return (*same[0], key)
    if same or any(isinstance(part, int) for part in path):
        return None
    for where, spec in sections:
        ours = vocabulary.foreign(key, spec.model_fields, vocabulary.KEYS) if where != here else None
        if ours and ours != "type":
            return (*where, ours)
    return None


def inside_a_sibling(key: str, root: Node, path: Path) -> str:
    """Return the component beside `path` that has such a key, with it, as a recipe writes it; empty when none has."""
    unknown, siblings = root.find(path), root.closest(path[:-1]).value
    if unknown is None or not isinstance(siblings, dict):
        return ""
    for name, node in siblings.items():
        given = node.plain() if isinstance(node.value, dict) else {"type": node.value}
        here = next((here for here in rooms() if here.name == f"{name}s"), None)
        if here and given.get("type") in here.names() and key in here.load(given["type"]).model_fields:
            written = {**given, key: unknown.plain()}
            if not any(isinstance(value, (dict, list)) for value in written.values()):
                return f"'{name}: {{{', '.join(f'{one}: {value}' for one, value in written.items())}}}'"
    return ""


def keys_at(path: Path, root: Node) -> list[str]:
    """Return the keys that the section at `path` may have; empty when that is no section."""
    found = [spec for where, spec in _sections(Recipe, root, ()) if where == path]
    return [key for key in found[0].model_fields if key != "type"] if found else []


def implied_type(root: Node, path: Path) -> str | None:
    """Return the type of the section at `path` when nobody states it; None where there is no such section."""
    found = [
        spec.model_fields["type"].default
        for where, spec in _sections(Recipe, root, ())
        if where == path and "type" in spec.model_fields
    ]
    return str(found[0]) if found else None


def _sections(spec: type[Spec], node: Node | None, path: Path) -> Iterator[tuple[Path, type[Spec]]]:
    """Return all sections that a recipe has or may have, from the outermost to the innermost, lists left out."""
    yield path, spec
    for name, field in spec.model_fields.items():
        child = node.child(name) if node else None
        inner = _component(field.metadata, child) or _plain(field.annotation)
        if inner is not None:
            yield from _sections(inner, child, (*path, name))


def _component(metadata: list[Any], node: Node | None) -> type[Spec] | None:
    for mark in metadata:
        if isinstance(mark, Component):
            said = node.child("type") if node and isinstance(node.value, dict) else node
            name = said.value if said and isinstance(said.value, str) else mark.default
            here = room(mark.room)
            return here.load(name) if name in here.files() else None
    return None


def _plain(annotation: Any) -> type[Spec] | None:
    if get_origin(annotation) is tuple:
        return None
    options = [annotation, *get_args(annotation)]
    specs = [option for option in options if isinstance(option, type) and issubclass(option, Spec)]
    return specs[0] if len(specs) == 1 and not _is_component(annotation) else None


def _is_component(annotation: Any) -> bool:
    return any(
        isinstance(mark, Component) for option in get_args(annotation) for mark in getattr(option, "__metadata__", ())
    )
