"""Looks at every example of a recipe's source, and goes on where a run would stop."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cnnpipe.data import LoadedData, known_facts
from cnnpipe.datasets import Example, Examples, SplitName
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.events import Listener
from cnnpipe.examination import Examination, Examined, cache
from cnnpipe.examination.pictures import Picture, look_at
from cnnpipe.examination.truth import Truth, truth_of
from cnnpipe.names import name_problems
from cnnpipe.reading import digest_of
from cnnpipe.recipe.load import LoadedRecipe
from cnnpipe.recipe.schema import Recipe
from cnnpipe.splits import split_names
from cnnpipe.task import Facts

PICTURES = "images"
"""The key of the examples that hold pictures."""


@dataclass(frozen=True)
class _Look:
    """What became of one example, before splits are known."""

    digest: str = ""
    labels: tuple[str, ...] = ()
    unreadable: str = ""
    unusable: str = ""
    picture: Picture | None = None
    truth: Truth | None = None


def examine(loaded: LoadedRecipe, listing: Examples, runs_folder: Path, listener: Listener) -> Examination:
    """Look at all examples, in threads. Facts of pictures that were seen before come from the cache of the runs folder.

    Args:
        loaded: The recipe.
        listing: What its source holds.
        runs_folder: Where all runs lie.
        listener: Hears how far it is, and what came from the cache.
    """
    recipe = loaded.recipe
    facts, problems = _facts(recipe, listing)
    known = cache.load(runs_folder)
    looks = _look_at_all(recipe, listing, facts, known, listener)
    seen = {look.digest: look.picture for look in looks if look.picture is not None}
    fresh = {digest: picture for digest, picture in seen.items() if digest not in known}
    if fresh and not cache.save(runs_folder, {**known, **fresh}):
        listener.note(f"{runs_folder / cache.FILE} cannot be written, so the next diagnosis starts from nothing")
    if len(seen) > len(fresh):
        listener.note(
            f"{len(seen) - len(fresh):,} of {len(seen):,} pictures have the content of an earlier diagnosis; what was "
            f"found then is kept in {runs_folder / cache.FILE}"
        )
    splits, found = _splits(recipe, listing.examples, looks)
    names = facts.class_names if facts is not None else listing.class_names
    return Examination(
        recipe,
        names or (),
        tuple(
            Examined(e.name, splits.get(e.name), look.labels, look.digest, e.file, look.unreadable, look.unusable,
                     look.picture, look.truth)
            for e, look in zip(listing.examples, looks, strict=True)
        ),
        listing.notes,
        (*problems, *found),
        listing.class_names or (),
        listing.repairs,
    )  # fmt: skip


def examined(loaded: LoadedRecipe, data: LoadedData) -> Examination:
    """Return what is known of examples that were read for a run, without a second look at them."""
    names = data.facts.class_names
    return Examination(
        loaded.recipe,
        names or (),
        tuple(
            Examined(name, split, labels_of(data.labels.get(name), names), data.digests.get(name, ""))
            for name, split in data.membership.items()
        ),
    )


def _facts(recipe: Recipe, listing: Examples) -> tuple[Facts | None, list[Problem]]:
    """Return what the task may know, and what is wrong with the listing as a whole."""
    names = [example.name for example in listing.examples]
    problems = [*name_problems(names, listing.class_names or ())]
    if twice := [name for name, times in Counter(names).items() if times > 1]:
        problems.append(Problem(f"the source has {len(twice)} names several times, such as {twice[0]}"))
    try:
        return known_facts(recipe, listing), problems
    except ProblemError as error:
        return None, [*problems, *error.problems]


def _look_at_all(
    recipe: Recipe, listing: Examples, facts: Facts | None, known: dict[str, Picture], listener: Listener
) -> list[_Look]:
    count, looks = len(listing.examples), []
    step = max(1, count // 100)
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
        warnings.filterwarnings("ignore", module=r"PIL\.")
        for look in pool.map(lambda example: _look(example, recipe, listing, facts, known), listing.examples):
            looks.append(look)
            if len(looks) % step == 0 or len(looks) == count:
                listener.progress(len(looks), count, {})
    return looks


def _look(example: Example, recipe: Recipe, listing: Examples, facts: Facts | None, known: dict[str, Picture]) -> _Look:
    key, picture = recipe.data.preprocessing.key, None
    try:
        example_read = example.read()
        raw = example_read[key]
        digest = digest_of(raw)
        if key == PICTURES:
            picture = known.get(digest) or look_at(raw)
        else:
            recipe.data.preprocessing.apply(raw)
        placed = recipe.data.preprocessing.placed(example_read)
        truth = truth_of(example_read, placed, recipe.task.needs, len(listing.class_names or ()))
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error).rstrip(".")
        return _Look(unreadable=reason)
    look = _Look(digest, labels_of(example_read.get("labels"), listing.class_names), picture=picture, truth=truth)
    if facts is not None:
        try:
            recipe.task.encode(placed, facts)
        except ValueError as error:
            return replace(look, unusable=str(error).rstrip("."))
    return look


def labels_of(label: Any, class_names: Sequence[str] | None) -> tuple[str, ...]:
    """Return the class names that a source's label means; none when it is a number to be predicted."""
    if isinstance(label, str):
        return (label,)
    if isinstance(label, tuple | list):
        return tuple(map(str, label))
    if class_names and hasattr(label, "__index__") and 0 <= label.__index__() < len(class_names):
        return (class_names[label.__index__()],)
    return ()


def _splits(
    recipe: Recipe, examples: Sequence[Example], looks: Sequence[_Look]
) -> tuple[dict[str, SplitName], list[Problem]]:
    """Return the split of every example that can be read, and why there are none when they cannot be decided."""
    readable = [(example, look) for example, look in zip(examples, looks, strict=True) if not look.unreadable]
    digests = {example.name: look.digest for example, look in readable}
    rules = recipe.data.split
    stated = [key for key, field in type(rules).model_fields.items() if getattr(rules, key) != field.default]
    try:
        splits, _ = split_names([example for example, _ in readable], digests, rules, stated)
    except ProblemError as error:
        return {}, list(error.problems)
    return splits, []
