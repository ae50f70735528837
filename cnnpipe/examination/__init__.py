"""All examples of a recipe's source after each was looked at, also those at which a run would stop."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cnnpipe.datasets import SPLITS, SplitName
from cnnpipe.errors import Problem

if TYPE_CHECKING:
    from cnnpipe.examination.pictures import Picture
    from cnnpipe.examination.truth import Objects, Truth
    from cnnpipe.recipe.schema import Recipe


@dataclass(frozen=True)
class Examined:
    """One example after it was looked at.

    Args:
        name: Its name in the source.
        split: Where it belongs; None when that could not be decided.
        labels: Its class names; empty when its label is a number.
        digest: sha256 of its content; empty when it could not be read.
        file: The file that it stands in, when there is one.
        unreadable: Why it cannot be read; empty when it can.
        unusable: Why the task cannot use it; empty when it can.
        picture: What the picture is, when it is one and was looked at.
        truth: Its boxes and masks, where the task needs them and they were looked at.
    """

    name: str
    split: SplitName | None
    labels: tuple[str, ...]
    digest: str
    file: Path | None = None
    unreadable: str = ""
    unusable: str = ""
    picture: Picture | None = None
    truth: Truth | None = None

    @property
    def shown(self) -> str:
        """How messages call it: its file, else its name."""
        return str(self.file or f"example {self.name}")


@dataclass(frozen=True)
class Examination:
    """All examples of a recipe's source.

    Args:
        recipe: The recipe.
        class_names: The class names in their order; empty when labels are numbers.
        examples: All examples, in the source's order.
        notes: What the source left out or decided.
        problems: What stops a run before any example is read, or because of the splits.
        source_class_names: The class names that numbers of boxes and masks mean.
        repairs: Flaws of annotations and what the source did about them, each with all places.
    """

    recipe: Recipe
    class_names: tuple[str, ...]
    examples: tuple[Examined, ...]
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    source_class_names: tuple[str, ...] = ()
    repairs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def objects(self) -> list[tuple[Examined, Objects]]:
        """All examples whose boxes were looked at, each with its boxes."""
        return [(e, e.truth.objects) for e in self.examples if e.truth is not None and e.truth.objects is not None]

    @property
    def pictures(self) -> list[tuple[Examined, Picture]]:
        """All examples that are pictures and could be read, each with its picture."""
        return [(example, example.picture) for example in self.examples if example.picture is not None]

    def class_counts(self) -> dict[SplitName, Counter[str]]:
        """Return how many examples of each class each split has."""
        found = {split: Counter[str]() for split in SPLITS}
        for example in self.examples:
            if example.split is not None:
                found[example.split].update(example.labels)
        return found

    def mirrored(self) -> dict[str, list[str]]:
        """Return the types of the recipe's augmentations that mirror, by direction: `horizontal`, `vertical`."""
        found: dict[str, list[str]] = defaultdict(list)
        for augmentation in self.recipe.data.augmentation:
            for direction in sorted(augmentation.mirrors()):
                found[direction].append(augmentation.type)
        return dict(found)
