"""How much each parameter of a space mattered, as far as the trials of a study can tell."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cnnpipe.recipe.space import Parameter, Space
from cnnpipe.tuning.records import SCORE, Objectives, Record

GROUPS = 3
"""Into so many groups of equal size the values of a range are put."""


@dataclass(frozen=True)
class Importance:
    """What a parameter alone explains.

    Args:
        name: Its path.
        share: Share of the variance of the scores' ranks that goes with it, corrected for chance: from 0, where the
            groups differ no more than by chance, to 1; None where there are too few trials.
        n: How many trials that is from.
        best: The group of values with the best mean score, as text.
    """

    name: str
    share: float | None
    n: int
    best: str

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"parameter": self.name, "share": self.share, "n": self.n, "best": self.best}


def importances(space: Space, records: Sequence[Record], objectives: Objectives) -> tuple[Importance, ...]:
    """Return the importance of each parameter for the first objective, the largest first.

    That is epsilon squared of a one-way analysis of variance on ranks (Kelley 1935; on ranks: Kruskal & Wallis 1952).
    It sees one parameter at a time: what only matters together with another one is not told. Trials of other lengths
    than most (Hyperband's rounds) are left out, as their scores tell of epochs.
    """
    name = objectives.names[0]
    longest = Counter(record.codes.get("tuner/epochs") for record in records).most_common(1)
    same = [record for record in records if longest and record.codes.get("tuner/epochs") == longest[0][0]]
    sign = 1 if name == SCORE and objectives.metric.higher_is_better else -1
    ranks = _ranks([sign * record.objectives[name] for record in same])
    found = [_importance(parameter, same, ranks) for parameter in space.parameters]
    return tuple(sorted(found, key=lambda importance: -1 if importance.share is None else -importance.share - 2))


def _importance(parameter: Parameter, records: Sequence[Record], ranks: Sequence[float]) -> Importance:
    pairs = [(record.codes[parameter.name], rank) for record, rank in zip(records, ranks, strict=True)
             if parameter.name in record.labels]  # fmt: skip
    groups: dict[str, list[float]] = defaultdict(list)
    for (_, rank), group in zip(pairs, _groups(parameter, [code for code, _ in pairs]), strict=True):
        groups[group].append(rank)
    best = max(groups, key=lambda group: sum(groups[group]) / len(groups[group]), default="")
    return Importance(parameter.name, _explained(list(groups.values())), len(pairs), best)


def _groups(parameter: Parameter, codes: Sequence[Any]) -> list[str]:
    """Return the group of each code: its value, or a part of the range where there are more values than groups."""
    labels = [parameter.spec.label(code) for code in codes]
    if len(set(labels)) <= GROUPS or parameter.spec.count() == len(parameter.spec.ends()):
        return labels
    ordered = sorted(codes)
    size = len(ordered)
    bounds = [ordered[size * part // GROUPS] for part in range(1, GROUPS)]
    parts = [sum(code >= bound for bound in bounds) for code in codes]
    ends = {part: [code for code, found in zip(codes, parts, strict=True) if found == part] for part in set(parts)}
    texts = {part: f"{parameter.spec.label(min(of))} to {parameter.spec.label(max(of))}" for part, of in ends.items()}
    return [texts[part] for part in parts]


def _explained(groups: Sequence[Sequence[float]]) -> float | None:
    n, count = sum(map(len, groups)), len(groups)
    if count < 2 or n <= count + 1:
        return None
    mean = sum(map(sum, groups)) / n
    total = sum((rank - mean) ** 2 for group in groups for rank in group)
    within = sum((rank - sum(group) / len(group)) ** 2 for group in groups for rank in group)
    return max(0.0, 1 - (within / (n - count)) / (total / (n - 1))) if total else None


def _ranks(values: Sequence[float]) -> list[float]:
    """Return the rank of each value, equal ones with the mean of theirs."""
    return [sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2
            for value in values]  # fmt: skip
