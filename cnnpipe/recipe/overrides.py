"""`--set dotted.path=value`: change single values of a recipe from the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cnnpipe.errors import Path, Place, Problem, ProblemError, dotted
from cnnpipe.located_yaml import parse_value
from cnnpipe.spec import nearest
from cnnpipe.yaml_nodes import Node, short


@dataclass(frozen=True)
class Setting:
    """One override, applied.

    Args:
        number: Its position on the command line, from 1.
        said: The path as it was written.
        path: What the path points to.
        before: The value that it replaced, as text; `not set` when there was none.
        place: Where that value stood.
    """

    number: int
    said: str
    path: Path
    before: str
    place: Place | None

    def __str__(self) -> str:
        parts = self.said.split(".")
        names = [
            word for word, part in zip(parts, self.path, strict=True) if isinstance(part, int) and word != str(part)
        ]
        named = f" ({', '.join(names)})" if names else ""
        where = f", {self.place}" if self.place else ""
        return f"--set {self.number}: {dotted(self.path)}{named}{where}, was {self.before}"


def apply_overrides(root: Node, overrides: Sequence[str]) -> tuple[Node, list[Setting], list[Problem]]:
    """Return the recipe with all overrides applied in order, what each changed, and the problems of those left out.

    A text alone is one override, not a list of letters.
    A problem is that an override is not `path=value`, that its value is no YAML, or that its path leads nowhere.
    """
    settings: list[Setting] = []
    problems: list[Problem] = []
    for number, override in enumerate((overrides,) if isinstance(overrides, str) else overrides, 1):
        place = Place(f"--set {number}", 0, 0)
        try:
            path, value = _split(override, place)
            found = locate(root, path, place)
            old = root.find(found)
            settings.append(
                Setting(number, path, found, short(old.plain()) if old else "not set", old.key_place if old else None)
            )
            root = changed(root, found, value, place)
        except ProblemError as error:
            problems += [replace(problem, place=place) for problem in error.problems]
    return root, settings, problems


def _split(override: str, place: Place) -> tuple[str, Node]:
    path, equals, text = override.partition("=")
    if not equals or not path.strip():
        raise ProblemError(
            Problem(f"expected PATH=VALUE (received {short(override)})", place, hint="For example: training.epochs=3.")
        )
    value = _at(parse_value(text, place.file), place)
    return path.strip(), value


def _at(node: Node, place: Place) -> Node:
    value = node.value
    if isinstance(value, dict):
        value = {key: _at(child, place) for key, child in value.items()}
    elif isinstance(value, tuple):
        value = tuple(_at(child, place) for child in value)
    return replace(node, value=value, place=place, key_place=place)


def locate(root: Node, path: str, place: Place) -> Path:
    """Return the recipe path that a dotted path means; list items go by number or by their `name`.

    Raises:
        ProblemError: It leads through a list to no item, or through a plain value.
    """
    found: list[str | int] = []
    node: Node | None = root
    for part in path.split("."):
        if not part:
            raise ProblemError(Problem(f"the path {short(path)} has an empty part", place))
        if node is not None and isinstance(node.value, tuple):
            found.append(_item(node, part, tuple(found), place))
        elif node is None or node.value is None or isinstance(node.value, (dict, str)):
            found.append(part)
        else:
            raise ProblemError(Problem(f"'{dotted(tuple(found))}' is {short(node.value)} and has no keys", place, path))
        node = node.child(found[-1]) if node else None
    return tuple(found)


def _item(node: Node, part: str, path: Path, place: Place) -> int:
    names = {str(name.value): i for i, item in enumerate(node.value) if (name := item.child("name")) is not None}
    if part in names:
        return names[part]
    if part.isascii() and part.isdigit() and int(part[:9]) < len(node.value):
        return int(part[:9])
    numbers = (
        "no items" if not node.value else "only item 0" if len(node.value) == 1 else f"items 0 to {len(node.value) - 1}"
    )
    known = nearest(part, list(names))
    named = f" and the names {', '.join(names)}" if names else " and none of them has a name"
    raise ProblemError(
        Problem(
            f"'{dotted(path)}' has no item '{part}'",
            place,
            dotted((*path, part)),
            f"Did you mean '{known}'?" if known else f"It has {numbers}{named if node.value else ''}.",
        )
    )


def changed(node: Node | None, path: Path, value: Node, place: Place) -> Node:
    """Return a recipe with another value at a path; another `type` replaces its whole mapping."""
    if not path:
        return value
    first, rest = path[0], path[1:]
    if node is not None and isinstance(node.value, tuple):
        items = list(node.value)
        items[int(first)] = changed(items[int(first)], rest, value, place)
        return replace(node, value=tuple(items))
    here = node or Node({}, place, place)
    entries = dict(here.value) if isinstance(here.value, dict) else {}
    if isinstance(here.value, str):
        entries = {"type": here}  # a bare name is a mapping with only its type
    if first == "type" and not rest and "type" in entries and entries["type"].value != value.value:
        return replace(here, value={"type": value})
    entries[str(first)] = changed(entries.get(str(first)), rest, value, place)
    return replace(here, value=entries)
