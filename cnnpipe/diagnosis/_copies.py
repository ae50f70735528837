"""Groups of examples that show the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from cnnpipe.datasets import SPLITS
from cnnpipe.examination import Examination, Examined

Group = Sequence[Examined]


def exact_copies(data: Examination) -> list[Group]:
    """Return the groups of at least two examples with the same content."""
    same: dict[str, list[Examined]] = defaultdict(list)
    for example in data.examples:
        if example.digest:
            same[example.digest].append(example)
    return [group for group in same.values() if len(group) > 1]


def leaked(group: Group) -> list[Examined]:
    """Return the held-out examples of a group that stand in an earlier split as well: their scores are too good."""
    first = min(_order(example) for example in group)
    return [example for example in group if _order(example) > first]


def told(group: Group, split: bool = False, label: bool = False) -> str:
    """Return a group as one line: a few of its examples, each with what tells them apart."""
    known: dict[str, Examined] = {}
    for example in group:
        parts = [str(example.split)] * split + [", ".join(example.labels)] * label
        known.setdefault("; ".join(parts) or example.name, example)
    some = list(known.items())[:2]
    words = " = ".join(f"{example.shown}" + (f" ({kind})" if split or label else "") for kind, example in some)
    return words + (f" and {len(group) - len(some)} more" if len(group) > len(some) else "")


def differently_labelled(groups: Iterable[Group]) -> list[Group]:
    """Return the groups whose examples do not all have the same labels."""
    return [group for group in groups if len({example.labels for example in group if example.labels}) > 1]


def _order(example: Examined) -> int:
    return SPLITS.index(example.split) if example.split else 0
