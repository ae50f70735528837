"""What differs between two runs: recipe, data, environment and times, beside their scores."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cnnpipe.jobs.run_scores import Paired, ScorePair, paired, score_pairs
from cnnpipe.jobs.same_weights import same_weights
from cnnpipe.jobs.trained import RESOLVED
from cnnpipe.located_yaml import parse
from cnnpipe.recipe.difference import NOT_SET, differences
from cnnpipe.runs import Run, open_run

FACTS = ("data_fingerprint", "examples", "weights", "deterministic", "changes", "versions", "hardware", "plugins")
"""Keys of `run.json` that a result depends on."""
TIMES = ("created", "state", "epochs", "best_epoch", "training_seconds")
WHO = re.compile(r".*  # (.*)")
"""The comment of a line of `resolved.yaml`, which says who set its value."""


@dataclass(frozen=True)
class Change:
    """A recipe key that differs.

    Args:
        path: Dotted path; items of lists go by name, where they have one, else by number.
        old: Its value in the first run, `NOT_SET` where it has none.
        new: Its value in the second run, `NOT_SET` where it has none.
        old_by: Who set it in the first run: file and line, `--set 1` or `default`; empty where it has none.
        new_by: Who set it in the second run.
    """

    path: str
    old: Any
    new: Any
    old_by: str
    new_by: str


@dataclass(frozen=True)
class Fact:
    """A fact of two runs, None where a run does not know it: a version, a part of the machine, a time."""

    name: str
    old: Any
    new: Any

    @property
    def differs(self) -> bool:
        """Whether it is another."""
        return bool(self.old != self.new)


@dataclass(frozen=True)
class RunsDiff:
    """Two runs compared.

    Args:
        old: Name and number of the first.
        new: Name and number of the second.
        changes: Recipe keys that differ.
        facts: What else a result depends on and differs: data, versions, hardware, plugins.
        times: States, epochs and times of both, whether or not they differ.
        scores: Scores of both.
        paired: The test split example by example; None when it cannot be told, and `notes` say why.
        same_weights: Whether both models have the same weights, bit for bit; None when one has no model.
        notes: What cannot be compared, and why, one sentence each.
    """

    old: str
    new: str
    changes: tuple[Change, ...]
    facts: tuple[Fact, ...]
    times: tuple[Fact, ...]
    scores: tuple[ScorePair, ...]
    paired: Paired | None
    same_weights: bool | None
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the plain form; a key that a recipe does not have has no `old` or no `new`."""
        plain = asdict(self)
        for change, found in zip(plain["changes"], self.changes, strict=True):
            for side in ("old", "new"):
                if getattr(found, side) is NOT_SET:
                    del change[side], change[f"{side}_by"]
        return plain


def diff_runs(old: str | Path, new: str | Path, runs_folder: str | Path = Path("runs")) -> RunsDiff:
    """Compare two runs by what their folders hold. Nothing is trained or measured again.

    Args:
        old: A run folder, a name and number (`digits/0007`), or a name: its newest run.
        new: The run that it is compared with.
        runs_folder: Where names are looked up.

    Raises:
        ProblemError: There is no such run, or a file of its folder cannot be read.
    """
    runs = open_run(old, runs_folder), open_run(new, runs_folder)
    records = runs[0].record(), runs[1].record()
    changes = tuple(_changes(*runs))
    pairs, notes = paired(*runs)
    return RunsDiff(
        old=runs[0].reference,
        new=runs[1].reference,
        changes=changes,
        facts=differing_facts(*records),
        times=tuple(_facts(*records, TIMES)),
        scores=score_pairs(*runs),
        paired=pairs,
        same_weights=same_weights(*runs),
        notes=(*_other_tasks(changes), *notes),
    )


def _other_tasks(changes: tuple[Change, ...]) -> Iterator[str]:
    for change in changes:
        if change.path == "task.type":
            yield f"The runs have other tasks ({change.old}, {change.new}): scores of one name may mean other things."


def differing_facts(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Return what differs in two records besides the recipe: data, versions, hardware, plugins."""
    return tuple(fact for fact in _facts(old, new, FACTS) if fact.differs)


def _changes(old: Run, new: Run) -> Iterator[Change]:
    documents = [parse(run.read_text(RESOLVED), str(run.folder / RESOLVED)) for run in (old, new)]

    def who(side: int, value: Any, path: Any) -> str:
        path = (*path, "type") if isinstance(value, dict) and "type" in value else path  # whoever chose a section
        line = documents[side].lines[documents[side].value_place(path).line - 1]
        told = WHO.fullmatch(line)
        return "" if value is NOT_SET or not told else told[1]

    for found in differences(documents[0].data, documents[1].data):
        yield Change(
            found.path, found.old, found.new,
            who(0, found.old, found.old_path), who(1, found.new, found.new_path),
        )  # fmt: skip


def _facts(old: Mapping[str, Any], new: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[Fact]:
    for key in keys:
        one, other = old.get(key), new.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            for name in dict.fromkeys([*one, *other]):
                yield Fact(f"{key}.{name}", one.get(name), other.get(name))
        else:
            yield Fact(key, one, other)
