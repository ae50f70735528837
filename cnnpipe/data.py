"""From a recipe's source to arrays: checks, reads, splits and fingerprints all examples."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnpipe.datasets import SPLITS, Example, Examples, SplitName
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.events import Listener
from cnnpipe.names import name_problems
from cnnpipe.preprocessing import Preprocessing
from cnnpipe.reading import Reading, arrange, read_examples, read_inputs
from cnnpipe.splits import split_names, splitter
from cnnpipe.task import Facts

if TYPE_CHECKING:
    import numpy as np

    from cnnpipe.recipe.load import LoadedRecipe
    from cnnpipe.recipe.schema import Recipe, Split

__all__ = ["LoadedData", "SplitData", "exact_inputs", "load_data", "read_inputs"]
LISTED = 5
"""How many files a problem names before it only counts."""


@dataclass(frozen=True)
class SplitData:
    """The examples of one split, preprocessed.

    Args:
        names: Name of each example.
        files: File of each example, None where there is none.
        inputs: What preprocessing made, by tensor name, batch axis first; uint8.
        targets: What the task made of the truth, by output or target name, batch axis first.
        readers: What reads each example again as its source gives it; empty when that is not known.
    """

    names: tuple[str, ...]
    files: tuple[Path | None, ...]
    inputs: Mapping[str, np.ndarray]
    targets: Mapping[str, np.ndarray]
    readers: tuple[Callable[[], Mapping[str, Any]], ...] = ()

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class LoadedData:
    """All examples, split.

    Args:
        facts: What the task may know of them.
        splits: The examples of each split.
        notes: What was decided or left out, one sentence each.
        fingerprint: sha256 of names, contents, targets and splits: equal data, equal fingerprint.
        membership: The split of each example, by name.
        digests: sha256 of the content of each example, by name.
        labels: What the source says of each example, by name; None where it says nothing.
    """

    facts: Facts
    splits: Mapping[SplitName, SplitData]
    notes: tuple[str, ...]
    fingerprint: str
    membership: Mapping[str, SplitName]
    digests: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, Any] = field(default_factory=dict)


def load_data(loaded: LoadedRecipe, listener: Listener, exact: bool = False) -> LoadedData:
    """Read all examples of a recipe's source.

    Args:
        loaded: The recipe.
        listener: Hears of notes and progress.
        exact: Read training examples as exactly as all others, because they are not to be trained on.

    Raises:
        ProblemError: The source is not there, holds what the task cannot use, or cannot be split; names files.
    """
    try:
        return _load(loaded.recipe, loaded.folder, listener, exact)
    except ProblemError as error:
        raise ProblemError(_located(problem, loaded) for problem in error.problems) from None


def _load(recipe: Recipe, folder: Path, listener: Listener, exact: bool) -> LoadedData:
    listing = _opened(recipe, folder)
    if not listing.examples:
        raise _source_problem("the source has no examples")
    if twice := [name for name, times in Counter(e.name for e in listing.examples).items() if times > 1]:
        raise _source_problem(f"the source has several examples of the same name: {_some(twice)}")
    if problems := name_problems([example.name for example in listing.examples], listing.class_names or ()):
        raise ProblemError(problems)
    facts = known_facts(recipe, listing)
    rules, stated = recipe.data.split, _stated(recipe.data.split)
    budget = int(recipe.data.memory_budget * 2**30)
    split_of = splitter(listing.examples, rules, stated)
    reading = read_examples(listing.examples, recipe.task, facts, None if exact else split_of, listener, budget)
    kept, skipped = _kept(recipe, listing.examples, reading)
    examples = [listing.examples[position] for position in kept]
    digests = {listing.examples[position].name: reading.digests[position] for position in kept}
    membership, decided = split_names(examples, digests, rules, stated)
    labels = {listing.examples[position].name: reading.labels[position] for position in kept}
    notes = (*listing.told(), *reading.notes, *skipped, *decided, *_contradictions(digests, labels))
    for note in notes:
        listener.note(note)
    _check_splits(membership)
    if "labels" in recipe.task.needs and facts.class_names is not None:
        facts = replace(facts, class_counts=_class_counts(facts.class_names, labels, membership))
    fingerprint = _fingerprint(listing.examples, reading, kept, membership)
    splits = _divided(listing.examples, reading, kept, membership, _tensor(recipe, facts))
    if "labels" not in recipe.task.needs:
        facts = replace(facts, class_counts=recipe.task.class_counts(splits["training"].targets, facts))
    return LoadedData(facts, splits, notes, fingerprint, membership, digests, labels)


def _opened(recipe: Recipe, folder: Path) -> Examples:
    """List the examples; a problem that stands in no file of the data stands at the recipe's source."""
    try:
        return recipe.data.source.open(folder)
    except ProblemError as error:
        raise ProblemError(
            problem if problem.place or problem.path else replace(problem, path="data.source")
            for problem in error.problems
        ) from error


def exact_inputs(split: SplitData, rows: Sequence[int], preprocessing: Preprocessing) -> dict[str, np.ndarray]:
    """Return the inputs of some examples as `Preprocessing.apply` makes them; for training they may be read faster.

    Raises:
        ProblemError: A file can no longer be read.
    """
    files = [file for file in (split.files[row] for row in rows) if file is not None]
    if len(files) < len(rows):  # what stands in no file of its own is always read exactly
        return {name: values[list(rows)] for name, values in split.inputs.items()}
    return {name: read_inputs(preprocessing, files) for name in split.inputs}


def known_facts(recipe: Recipe, listing: Examples) -> Facts:
    """Return what is known before examples are read: the source tells the class names, the task may order them.

    Raises:
        ProblemError: The task cannot use these classes.
    """
    stated, found = recipe.task.known_class_names(), listing.class_names
    same = stated is not None and found is not None and set(stated) == set(found)
    facts = Facts(recipe.data.preprocessing, stated if same else found or stated, source_class_names=found)
    problems = [
        replace(problem, path=".".join(filter(None, ("task", problem.path))))
        for problem in recipe.task.check(facts)
        if problem.severity == "error"
    ]
    if problems:
        raise ProblemError(problems)
    return facts


def _kept(recipe: Recipe, examples: Sequence[Example], reading: Reading) -> tuple[list[int], tuple[str, ...]]:
    """Return the positions of the examples that could be read, by the policy of the recipe."""
    unreadable, refusals = (
        [
            Problem(f"{_where(examples[position])} cannot be {how}: {why}", examples[position].place)
            for position, why in reasons.items()
        ]
        for how, reasons in (("read", reading.unreadable), ("used", reading.unusable))
    )
    problems = _shortened(refusals)
    if unreadable and recipe.data.unreadable == "error":
        *first, last = _shortened(unreadable)
        hint = "Repair or remove such files, or set data.unreadable: skip."
        problems = [*first, replace(last, hint=hint), *problems]
    if problems:
        raise ProblemError(problems)
    kept = [position for position in range(len(examples)) if position not in reading.unreadable]
    if not kept:
        raise _source_problem(f"none of {len(examples)} examples can be read; the first: {unreadable[0].message}")
    for lost in {example.split for example in examples} - {examples[position].split for position in kept}:
        raise _source_problem(f"none of the source's {lost} examples can be read")
    notes = [f"Skipped {len(unreadable)} of {len(examples)} examples, which cannot be read."] if unreadable else []
    return kept, (*notes, *(f"Skipped: {problem.message}." for problem in _shortened(unreadable)))


def _shortened(problems: Sequence[Problem]) -> list[Problem]:
    rest = len(problems) - LISTED
    more = [Problem(f"{rest} more such examples")] if rest > 0 else []
    return [*problems[:LISTED], *more]


def _where(example: Example) -> str:
    return str(example.file or f"example {example.name}")


def _stated(rules: Split) -> list[str]:
    """Return the keys of `data.split` that differ from what they are when nobody writes them."""
    return [key for key, field in type(rules).model_fields.items() if getattr(rules, key) != field.default]


def _contradictions(digests: Mapping[str, str], labels: Mapping[str, Any]) -> list[str]:
    """Return a note when exact copies carry different labels."""
    first: dict[str, str] = {}
    pairs = [
        (first[digest], name)
        for name, digest in digests.items()
        if isinstance(labels[first.setdefault(digest, name)], str | tuple) and labels[first[digest]] != labels[name]
    ]
    if not pairs:
        return []
    (one, other), *_ = pairs
    return [
        f"Exact copies with another label: {len(pairs)}, such as '{other}' ({labels[other]}) and '{one}' "
        f"({labels[one]})."
    ]


def _check_splits(membership: Mapping[str, SplitName]) -> None:
    used = set(membership.values())
    if problems := [_split_problem(f"the {split} split has no examples") for split in SPLITS if split not in used]:
        raise ProblemError(problems)


def _class_counts(
    class_names: tuple[str, ...], labels: Mapping[str, Any], membership: Mapping[str, SplitName]
) -> tuple[int, ...]:
    """Return the number of training examples of each class.

    Raises:
        ProblemError: A split has no example of a class.
    """
    counts = {split: Counter[str]() for split in SPLITS}
    for name, label in labels.items():
        counts[membership[name]].update((label,) if isinstance(label, str) else label)
    totals = sum(counts.values(), Counter[str]())
    problems = []
    for split in SPLITS:
        if missing := [f"'{name}' ({totals[name]} in all)" for name in class_names if not counts[split][name]]:
            problems.append(_split_problem(f"the {split} split has no example of {_some(missing)}"))
    if problems:
        raise ProblemError(problems)
    return tuple(counts["training"][name] for name in class_names)


def _tensor(recipe: Recipe, facts: Facts) -> str:
    """Return the name of the tensor that takes what preprocessing made; the key itself where no tensor does."""
    key = recipe.data.preprocessing.key
    tensors = [tensor for tensor, source in recipe.task.signature(facts).inputs.items() if source == key]
    return tensors[0] if tensors else key


def _divided(
    examples: Sequence[Example],
    reading: Reading,
    kept: Sequence[int],
    membership: Mapping[str, SplitName],
    tensor: str,
) -> dict[SplitName, SplitData]:
    """Return the splits as slices of all pixels, whose rows are put in their order."""
    positions = {split: [p for p in kept if membership[examples[p].name] == split] for split in SPLITS}
    order = [p for found in positions.values() for p in found]
    arrange(reading.pixels, order + sorted(set(range(len(examples))) - set(order)))
    splits, start = {}, 0
    for split, found in positions.items():
        splits[split] = SplitData(
            tuple(examples[p].name for p in found),
            tuple(examples[p].file for p in found),
            {tensor: reading.pixels[start : start + len(found)]},
            {name: target[found] for name, target in reading.targets.items()},
            tuple(examples[p].read for p in found),
        )
        start += len(found)
    return splits


def _fingerprint(
    examples: Sequence[Example], reading: Reading, kept: Sequence[int], membership: Mapping[str, SplitName]
) -> str:
    total = hashlib.sha256()
    targets = sorted(reading.targets.items())
    for position in sorted(kept, key=lambda position: examples[position].name):
        name = examples[position].name
        total.update(f"{name}\0{reading.digests[position]}\0{membership[name]}\0".encode())
        for key, values in targets:
            total.update(key.encode() + values[position].tobytes())
    return total.hexdigest()


def _located(problem: Problem, loaded: LoadedRecipe) -> Problem:
    """Return the problem at its recipe line, when it has a path and no place."""
    if not problem.path:
        return problem
    path = tuple(int(part) if part.isdigit() else part for part in problem.path.split("."))
    return problem.at(loaded.place_of(path))


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:LISTED]) + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")


def _source_problem(message: str) -> ProblemError:
    return ProblemError(Problem(message, path="data.source"))


def _split_problem(message: str) -> Problem:
    return Problem(
        message,
        path="data.split",
        hint="Add examples; or set larger shares or another seed in data.split; or divide the examples yourself, into "
        "folders train, validation and test or with a split column.",
    )
