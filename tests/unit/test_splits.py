"""Who goes where, by content alone."""

from __future__ import annotations

from collections import Counter

import pytest

from cnnpipe.datasets import Example, SplitName
from cnnpipe.errors import ProblemError
from cnnpipe.recipe.schema import Split
from cnnpipe.splits import split_names


def examples(names: list[str], split: SplitName | None = None) -> list[Example]:
    return [Example(name, split, lambda: {}) for name in names]


def divided(contents: dict[str, str], **rules: object) -> dict[str, SplitName]:
    """Divide examples that are given as content by name."""
    return split_names(examples(list(contents)), contents, Split.model_validate(rules), ())[0]


MANY = {f"{number}.jpg": f"content {number}" for number in range(3000)}


def test_shares_are_kept() -> None:
    counts = Counter(divided(MANY, validation=0.2, test=0.1).values())
    assert abs(counts["validation"] / 3000 - 0.2) < 0.03
    assert abs(counts["test"] / 3000 - 0.1) < 0.03


def test_nothing_moves_when_examples_are_added_or_renamed() -> None:
    before = divided(MANY)
    added = divided({**{f"new{number}": f"new {number}" for number in range(500)}, **MANY})
    assert all(added[name] == split for name, split in before.items())
    renamed = divided({f"other/{name}": content for name, content in MANY.items()})
    assert all(renamed[f"other/{name}"] == split for name, split in before.items())


def test_exact_copies_lie_in_one_split() -> None:
    found = divided({**MANY, **{f"copy of {name}": content for name, content in MANY.items()}})
    assert all(found[name] == found[f"copy of {name}"] for name in MANY)


def test_another_seed_is_another_division() -> None:
    assert divided(MANY, seed=0) != divided(MANY, seed=1)


def test_another_validation_share_leaves_the_test_split_as_it_is() -> None:
    small, large = divided(MANY, validation=0.1), divided(MANY, validation=0.4)
    assert [name for name in MANY if small[name] == "test"] == [name for name in MANY if large[name] == "test"]


@pytest.mark.parametrize("pattern", [r"^patient\d+", r"(patient\d+)_\d"])
def test_groups_stay_together(pattern: str) -> None:
    contents = {f"patient{number // 10}_{number % 10}.jpg": f"content {number}" for number in range(1000)}
    found = divided(contents, group_by=pattern)
    by_patient: dict[str, set[SplitName]] = {}
    for name, split in found.items():
        by_patient.setdefault(name.split("_")[0], set()).add(split)
    assert all(len(splits) == 1 for splits in by_patient.values())
    assert set(found.values()) == {"training", "validation", "test"}


def test_a_group_that_some_names_lack() -> None:
    with pytest.raises(ProblemError, match=r"does not match 1 of 2 names, such as 'b\.jpg'"):
        divided({"a1.jpg": "1", "b.jpg": "2"}, group_by=r"\d")


def test_copies_in_several_groups_are_told() -> None:
    contents = {f"patient{number}": "the same" for number in range(50)}
    _, notes = split_names(examples(list(contents)), contents, Split(group_by=r"\d+"), ())
    assert "Exact copies in several splits, because of groups: 1, such as" in notes[-1]


def test_the_source_must_name_all_splits_or_none() -> None:
    mixed = examples(["a"], "training") + examples(["b"])
    with pytest.raises(ProblemError, match="for some examples only"):
        split_names(mixed, {"a": "1", "b": "2"}, Split(), ())
    with pytest.raises(ProblemError, match="no training examples"):
        split_names(examples(["a"], "test"), {"a": "1"}, Split(), ())


def test_proportions_are_told() -> None:
    _, notes = split_names(examples(list(MANY)), MANY, Split(), ())
    assert notes[0].startswith("3000 examples: 2") and "training (" in notes[0] and "%)" in notes[0]
