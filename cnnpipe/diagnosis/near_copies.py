"""Near copies: pictures that show the same although their bytes differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from cnnpipe.datasets import SPLITS
from cnnpipe.diagnosis import Finding, counted
from cnnpipe.diagnosis._copies import Group, differently_labelled, leaked, told
from cnnpipe.diagnosis._near import SAME, SAME_SMALL, SMALL, near_pairs
from cnnpipe.examination import Examination

IN_EVERY_RUN = False
HOW = f"correlation of 16x16 thumbnails from {SAME} on, {SAME_SMALL} for small pictures; crops are not found"


def findings(data: Examination) -> Iterator[Finding]:
    """Return a warning for those in several splits, one for those with different labels, and a note for the rest."""
    groups = _groups(data)
    torn = [group for group in groups if leaked(group)]
    other = differently_labelled(groups)
    rest = [group for group in groups if group not in torn and group not in other]
    if torn:
        held_out = [example for group in torn for example in leaked(group)]
        numbers: dict[str, int] = {split: sum(example.split == split for example in held_out) for split in SPLITS[1:]}
        parts = " and ".join(f"{number:,} {split}" for split, number in numbers.items() if number)
        yield Finding(
            "warning",
            f"leakage: near copies of {parts} {'picture' if len(held_out) == 1 else 'pictures'} stand in an earlier "
            f"split ({HOW})",
            len(held_out),
            tuple(told(group, split=True) for group in torn),
            "Look at them: if they show the same, scores on them are too good. Remove them from one split, or keep "
            "them together with data.split.group_by.",
            numbers,
        )
    if other:
        yield Finding(
            "warning",
            f"{counted(len(other), 'group')} of near copies with different labels ({HOW})",
            len(other),
            tuple(told(group, label=True) for group in other),
            "Look at them: one of the labels is wrong, or the difference is finer than a thumbnail shows.",
        )
    if rest:
        yield Finding(
            "note",
            f"{counted(len(rest), 'group')} of near copies within one split ({HOW})",
            len(rest),
            tuple(told(group) for group in rest),
            "They count several times. Remove all but one if they show the same.",
        )


def _groups(data: Examination) -> list[Group]:
    """Return groups of examples that are linked by near pairs. Of exact copies, one in each split stands for all."""
    one = {(example.digest, example.split, example.labels): (example, picture) for example, picture in data.pictures}
    examples = [example for example, _ in one.values()]
    sides = [min(picture.width, picture.height) for _, picture in one.values()]
    pairs, closeness = near_pairs([picture.thumbnail for _, picture in one.values()])
    linked = [
        (a, b)
        for (a, b), close in zip(pairs.tolist(), closeness.tolist(), strict=True)
        if examples[a].digest != examples[b].digest and (max(sides[a], sides[b]) >= SMALL or close >= SAME_SMALL)
    ]
    return [[examples[position] for position in group] for group in joined(linked)]


def joined(pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Return the sorted groups that pairs make when they share members."""
    leader: dict[int, int] = {}

    def find(member: int) -> int:
        leader.setdefault(member, member)
        while leader[member] != member:
            leader[member] = member = leader[leader[member]]
        return member

    for first, second in pairs:
        low, high = sorted((find(first), find(second)))
        leader[high] = low
    groups: dict[int, list[int]] = defaultdict(list)
    for member in sorted(leader):
        groups[find(member)].append(member)
    return list(groups.values())
