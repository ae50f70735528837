"""Which examples are for training, which for decisions, and which for the last measurement."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from cnnpipe.datasets import SPLITS, Example, SplitName
from cnnpipe.errors import Problem, ProblemError

if TYPE_CHECKING:
    from cnnpipe.recipe.schema import Split


def splitter(examples: Sequence[Example], rules: Split, stated: Collection[str]) -> Callable[[Example, str], SplitName]:
    """Return a function from an example and the hash of its content to its split.

    What the source says stands. Else a hash of the seed and the content decides, so that nothing moves when examples
    are added or renamed and exact copies lie in one split. Splits that the source does not bring are cut from training.

    Args:
        examples: All examples.
        rules: The section `data.split`.
        stated: The keys of that section that the user changed.

    Raises:
        ProblemError: The source and the section contradict each other, or `group_by` fits no name.
    """
    wanted = _wanted({example.split for example in examples}, rules, stated)
    shares = {name: getattr(rules, name) for name in wanted}
    groups = _groups(examples, rules.group_by) if wanted else {}

    def split_of(example: Example, digest: str) -> SplitName:
        if example.split not in (None, "training"):
            return example.split
        return _drawn(groups.get(example.name) or digest, rules.seed, shares)

    return split_of


def split_names(
    examples: Sequence[Example], digests: Mapping[str, str], rules: Split, stated: Collection[str]
) -> tuple[dict[str, SplitName], list[str]]:
    """Return the split of each example by name, as `splitter` says, and what was decided, as sentences.

    Args:
        examples: All examples that could be read.
        digests: The hash of each example's content, by name.
        rules: The section `data.split`.
        stated: The keys of that section that the user changed.

    Raises:
        ProblemError: As `splitter`.
    """
    split_of = splitter(examples, rules, stated)
    membership = {example.name: split_of(example, digests[example.name]) for example in examples}
    own = {example.split for example in examples}
    notes = [_proportions(membership)]
    if own != {None}:
        wanted = _wanted(own, rules, stated)
        brought = ", ".join(name for name in SPLITS if name in own)
        cut = f"; {' and '.join(wanted)} is cut from training by a hash of content" if wanted else ""
        notes.append(f"The source brings {brought}{cut}.")
    return membership, notes + _copies(membership, digests, "groups" if rules.group_by else "the source's splits")


def _wanted(own: set[SplitName | None], rules: Split, stated: Collection[str]) -> tuple[SplitName, ...]:
    """Return the splits that have to be cut from the rest. Test comes first: it stays as it is when others change."""
    if None in own and len(own) > 1:
        raise _problem("the source names a split for some examples only", "Name it for all, or for none.")
    if None not in own and "training" not in own:
        raise _problem("the source has no training examples", "")
    wanted = tuple(name for name in reversed(SPLITS) if name not in own and name != "training")
    brought = [name for name in SPLITS if name in own]
    useless = [key for key in stated if key in brought] if wanted else list(stated)
    if useless:
        raise ProblemError(
            Problem(
                f"the source brings its own splits ({', '.join(brought)}), so this key would be ignored",
                path=f"data.split.{key}",
                hint="Delete it, or use a source without splits.",
            )
            for key in useless
        )
    return wanted


def _groups(examples: Sequence[Example], pattern: str | None) -> dict[str, str]:
    """Return the group of each example by name; empty when nothing is grouped."""
    if pattern is None:
        return {}
    found = {example.name: re.search(pattern, example.name) for example in examples}
    if strangers := [name for name, match in found.items() if match is None]:
        raise _problem(
            f"group_by '{pattern}' does not match {len(strangers)} of {len(found)} names, such as '{strangers[0]}'",
            "Every example needs a group.",
            "group_by",
        )
    return {name: str(match[1] if match.re.groups else match[0]) for name, match in found.items() if match}


def _drawn(key: str, seed: int, shares: Mapping[SplitName, float]) -> SplitName:
    number = int.from_bytes(hashlib.sha256(f"{seed}:{key}".encode()).digest()[:8], "big") / 2**64
    for name, share in shares.items():
        if number < share:
            return name
        number -= share
    return "training"


def _proportions(membership: Mapping[str, SplitName]) -> str:
    counts = [list(membership.values()).count(name) for name in SPLITS]
    total = sum(counts)
    parts = [f"{count} {name} ({count / total:.1%})" for count, name in zip(counts, SPLITS, strict=True)]
    return f"{total} examples: {', '.join(parts)}."


def _copies(membership: Mapping[str, SplitName], digests: Mapping[str, str], who: str) -> list[str]:
    """Return a note when exact copies lie in several splits, which only the source or groups can bring about."""
    same: dict[str, list[str]] = defaultdict(list)
    for name in membership:
        same[digests[name]].append(name)
    torn = [names for names in same.values() if len({membership[name] for name in names}) > 1]
    if not torn:
        return []
    first, *rest = torn[0]
    other = next(name for name in rest if membership[name] != membership[first])
    return [
        f"Exact copies in several splits, because of {who}: {len(torn)}, such as '{first}' ({membership[first]}) and "
        f"'{other}' ({membership[other]}). Scores on them are too good."
    ]


def _problem(message: str, hint: str, key: str = "") -> ProblemError:
    return ProblemError(Problem(message, path=".".join(filter(None, ("data.split", key))), hint=hint))
