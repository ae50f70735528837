"""What two resolved recipes say differently."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from cnnpipe.errors import Path, dotted
from cnnpipe.recipe.resolved import inline
from cnnpipe.recipe.schema import Recipe


class NotSet:
    """What stands for the value of a key that one of two recipes does not have."""

    def __repr__(self) -> str:
        return "not set"


NOT_SET = NotSet()


@dataclass(frozen=True)
class Difference:
    """One value, or one section, that differs.

    Args:
        path: Dotted path; items of lists go by name, where they have one, else by number (the new one's, if any).
        old: The value in the old recipe, `NOT_SET` when there is none.
        new: The value in the new recipe, `NOT_SET` when there is none.
        old_path: Where it stands in the old recipe, or would stand.
        new_path: Where it stands in the new recipe, or would stand.
    """

    path: str
    old: Any
    new: Any
    old_path: Path
    new_path: Path

    def __str__(self) -> str:
        return f"{self.path}: {shown(self.old)} → {shown(self.new)}"


def differences(old: Recipe | Mapping[str, Any], new: Recipe | Mapping[str, Any]) -> list[Difference]:
    """Return every difference of two recipes, defaults included, in the order of the new one.

    Items that were inserted into a list, taken out, or replaced by items of another type are one difference each.

    Args:
        old: A recipe, or the plain content of a `resolved.yaml`.
        new: The other.
    """
    return list(_compared(_content(old), _content(new), _Place()))


def shown(value: Any) -> str:
    """Return a value of a difference as text on one line."""
    return repr(value) if value is NOT_SET else inline(value)


@dataclass(frozen=True)
class _Place:
    """Where the comparison is: as it is shown, and in both recipes."""

    shown: Path = ()
    old: Path = ()
    new: Path = ()

    def at(self, part: str | int, old: str | int, new: str | int) -> _Place:
        return _Place((*self.shown, part), (*self.old, old), (*self.new, new))


def _compared(old: Any, new: Any, place: _Place) -> Iterator[Difference]:
    if isinstance(old, dict) and isinstance(new, dict) and old and new:
        for key in [*new, *(key for key in old if key not in new)]:
            yield from _compared(old.get(key, NOT_SET), new.get(key, NOT_SET), place.at(key, key, key))
    elif _has_sections(old) and _has_sections(new):
        for i, j in _aligned(old, new):
            one, other = (items[number] if present else NOT_SET for items, number, present in ((old, *i), (new, *j)))
            named = one if other is NOT_SET else other
            name = named.get("name") if isinstance(named, dict) else None
            here = place.at(name or (i if other is NOT_SET else j)[0], i[0], j[0])
            yield from _compared(one, other, here) if _type(one) == _type(other) else _whole(one, other, here)
    else:
        yield from _whole(old, new, place)


def _whole(old: Any, new: Any, place: _Place) -> Iterator[Difference]:
    if _key(old) != _key(new):
        yield Difference(dotted(place.shown), old, new, place.old, place.new)


def _type(item: Any) -> Any:
    return item.get("type") if isinstance(item, dict) else None


def _aligned(old: Sequence[Any], new: Sequence[Any]) -> Iterator[tuple[tuple[int, bool], tuple[int, bool]]]:
    """Return pairs of items: equal ones, between them those of one kind, then the others by their order.

    Each is a number, and whether there is such an item; if not, it would stand before that number.
    """
    for olds, news in _chunks([_key(item) for item in old], [_key(item) for item in new]):
        for i, j in _chunks([_kind(old[n]) for n in olds], [_kind(new[n]) for n in news]):
            for k in range(max(len(i), len(j))):
                yield _number(olds, i, k), _number(news, j, k)


def _number(items: range, part: range, k: int) -> tuple[int, bool]:
    return items.start + min(part.start + k, part.stop), k < len(part)


def _chunks(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[range, range]]:
    """Return runs of items that are equal, and what stands between them."""
    for _, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        yield range(i1, i2), range(j1, j2)


def _has_sections(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)


def _kind(item: Any) -> str:
    return str(item.get("name") or item.get("type")) if isinstance(item, dict) else ""


def _key(value: Any) -> str:
    """Return a text that is equal for equal values only: 1, 1.0 and true are three."""
    return repr(value) if value is NOT_SET else json.dumps(value, sort_keys=True, default=str)


def _content(recipe: Recipe | Mapping[str, Any]) -> Any:
    return _plain(recipe.model_dump() if isinstance(recipe, Recipe) else dict(recipe))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (tuple, list)) else value
