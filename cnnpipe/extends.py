"""`extends: FILE`: a recipe that says only what differs from another one."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from cnnpipe.errors import Path as RecipePath
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.located_yaml import Document, read
from cnnpipe.spec import nearest
from cnnpipe.yaml_nodes import Node, short

Implied = Callable[[Node, RecipePath], str | None]
"""Gives the type of the mapping at a path of a recipe that states none."""


def nothing_implied(root: Node, path: RecipePath) -> str | None:
    """Return None: no mapping has a type that it does not state."""
    return None


@dataclass(frozen=True)
class Chain:
    """A recipe file merged over those that it extends.

    Args:
        root: The merged content; each value keeps the place in its own file.
        folders: The folder of each file, by the name that places show.
        document: The recipe file itself.
    """

    root: Node
    folders: dict[str, Path]
    document: Document


def read_chain(file: Path, shown: str, implied: Implied = nothing_implied, below: tuple[Path, ...] = ()) -> Chain:
    """Read a recipe file and all that it extends.

    Args:
        file: The recipe file.
        shown: How problems name it.
        implied: Knows the types that mappings have without saying so.
        below: The files that extend it.

    Raises:
        ProblemError: A file cannot be read, or the files extend one another in a circle.
    """
    document = read(file, shown)
    folders = {shown: file.resolve().parent}
    own = Node(
        {k: v for k, v in document.root.value.items() if k != "extends"}, document.root.place, document.root.place
    )
    said = document.root.child("extends")
    if said is None:
        return Chain(own, folders, document)
    parent, parent_shown = _parent(said, file, shown, (*below, file.resolve()))
    above = read_chain(parent, parent_shown, implied, (*below, file.resolve()))
    return Chain(merged(above.root, own, partial(implied, above.root)), {**above.folders, **folders}, document)


def _parent(said: Node, file: Path, shown: str, chain: tuple[Path, ...]) -> tuple[Path, str]:
    if not isinstance(said.value, str) or not said.value.strip():
        raise _error(said, f"expected the name of a recipe file (received {short(said.plain())})")
    try:
        parent = (file.resolve().parent / said.value).resolve()
        found = parent.is_file()
    except (OSError, ValueError):
        raise _error(said, f"expected the name of a recipe file (received {short(said.value)})") from None
    if not found:
        hint = _near(parent, said.value) if parent.suffix else "Write the file's whole name, such as 'base.yaml'."
        raise _error(said, f"there is no file '{said.value}' (relative to the folder of this file)", hint)
    if parent in chain:
        circle = " -> ".join(link.name for link in (*chain[chain.index(parent) :], parent))
        raise _error(said, f"the recipes extend one another in a circle: {circle}")
    return parent, os.path.normpath(os.path.join(os.path.dirname(shown), said.value))


def _near(parent: Path, said: str) -> str:
    found = nearest(parent.name, [file.name for file in parent.parent.glob("*.yaml")])
    return f"Did you mean '{os.path.join(os.path.dirname(said), found)}'?" if found else ""


def _error(said: Node, message: str, hint: str = "") -> ProblemError:
    return ProblemError(Problem(message, said.key_place, "extends", hint))


def merged(parent: Node, child: Node, implied: Callable[[RecipePath], str | None], path: RecipePath = ()) -> Node:
    """Lay `child` over `parent`: mappings key by key, unless the `type` changes; all else is replaced whole.

    A bare name of the parent is a mapping with only its type, where components stand.

    Args:
        parent: What is extended.
        child: What extends it.
        implied: Gives the type of the mapping at a path of the parent that states none.
        path: Where both stand.
    """
    if isinstance(parent.value, str) and isinstance(child.value, dict) and implied(path) is not None:
        parent = replace(parent, value={"type": parent})
    if not isinstance(parent.value, dict) or not isinstance(child.value, dict):
        return child
    before, now = parent.child("type"), child.child("type")
    if now is not None and (before.value if before else implied(path)) not in (None, now.value):
        return child
    entries = dict(parent.value)
    for key, node in child.value.items():
        entries[key] = merged(entries[key], node, implied, (*path, key)) if key in entries else node
    return replace(child, value=entries)
