"""A few examples of each class as the model sees them, before and after augmentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from cnnpipe.annotations import Annotations
from cnnpipe.data import SplitData
from cnnpipe.datasets import Examples
from cnnpipe.examination import Examination
from cnnpipe.examination.truth import KEYS, batch_of, from_batch, shown_truth

if TYPE_CHECKING:
    import numpy as np

Item = TypeVar("Item")
PER_CLASS, CLASSES = 5, 24
"""Examples of a class, and at most how many classes: more are spread evenly over the list."""
SEED = 0
"""Of the random changes: the same data and recipe give the same sample."""
AXES = {"horizontal": 1, "vertical": 0}
"""The axis of an image that a direction turns round."""


@dataclass(frozen=True)
class Row:
    """Examples of one class.

    Args:
        label: The class; empty when labels are numbers.
        before: What preprocessing made of them, uint8, `(height, width, channels)` each.
        after: The same after augmentation; empty when the recipe has none.
        mirrored: The first one mirrored, in each direction in which the recipe mirrors.
        truth_before: What is drawn over those of `before`; empty when the task needs neither boxes nor masks.
        truth_after: The same for those of `after`.
    """

    label: str
    before: tuple[np.ndarray, ...]
    after: tuple[np.ndarray, ...] = ()
    mirrored: tuple[np.ndarray, ...] = ()
    truth_before: tuple[Annotations, ...] = ()
    truth_after: tuple[Annotations, ...] = ()


def sampled(data: Examination, listing: Examples) -> tuple[Row, ...]:
    """Return a row for each class; TensorFlow is only imported when the recipe has an augmentation.

    Args:
        data: The examined examples.
        listing: The same examples, from which pixels are read again.
    """
    import numpy as np

    recipe, names = data.recipe, data.source_class_names
    preprocessing, needs = recipe.data.preprocessing, recipe.task.needs & KEYS
    chosen = _chosen(data)
    raw = [listing.examples[position].read() for _, positions in chosen for position in positions]
    pixels = [preprocessing.apply(example[preprocessing.key]) for example in raw]
    placed = [preprocessing.placed(example) for example in raw] if needs else []
    after, moved = _augmented(np.stack(pixels), placed, data) if pixels and recipe.data.augmentation else ([], [])
    truths = [[shown for one in found if (shown := shown_truth(one, needs, names))] for found in (placed, moved)]
    rows, start = [], 0
    for label, positions in chosen:
        part = slice(start, start + len(positions))
        mirrored = tuple(np.flip(pixels[start], AXES[direction]) for direction in data.mirrored())
        shown_truths = (tuple(found[part]) for found in truths)
        rows.append(Row(label, tuple(pixels[part]), tuple(after[part]), mirrored, *shown_truths))
        start += len(positions)
    return tuple(rows)


def _chosen(data: Examination) -> list[tuple[str, list[int]]]:
    """Return classes with the positions of examples that show them, from training where it has some."""
    usable = [(position, example) for position, example in enumerate(data.examples) if example.digest]
    chosen = []
    for label in _spread(data.class_names or ("",), CLASSES):
        own = [(position, example) for position, example in usable if not label or label in example.labels]
        training = [position for position, example in own if example.split == "training"]
        if positions := _spread(training or [position for position, _ in own], PER_CLASS):
            chosen.append((label, positions))
    return chosen


def _augmented(
    pixels: np.ndarray, placed: Sequence[Mapping[str, Any]], data: Examination
) -> tuple[list[np.ndarray], list[dict[str, Any]]]:
    """Return the examples and their boxes and masks after augmentation, as one training batch of them would be."""
    import numpy as np

    from cnnpipe.batches import view_batches
    from cnnpipe.quiet import quiet_tensorflow

    quiet_tensorflow()
    names = tuple(map(str, range(len(pixels))))
    targets, keys = batch_of(placed, data.recipe.task.needs) if placed else ({}, {})
    targets["labels"] = np.zeros((len(names), 1), np.float32)  # mixed along with the images, and shown nowhere
    split = SplitData(names, (None,) * len(names), {"images": pixels}, targets)
    augmentation = data.recipe.data.augmentation
    (batch,) = view_batches(split, len(names), SEED, 0, augmentation, {**keys, "labels": "labels"})
    changed = {key: np.asarray(value) for key, value in batch[1].items()} if placed else {}
    moved = [from_batch(changed, row) for row in range(len(placed))]
    return list(np.clip(np.rint(batch[0].numpy()), 0, 255).astype(np.uint8)), moved


def _spread(items: Sequence[Item], most: int) -> list[Item]:
    """Return at most so many items, spread evenly."""
    count = min(len(items), most)
    return [items[number * len(items) // count] for number in range(count)]
