"""A few examples of each class as the model sees them, before and after augmentation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from cnnpipe.data import SplitData
from cnnpipe.datasets import Examples
from cnnpipe.examination import Examination

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
    """

    label: str
    before: tuple[np.ndarray, ...]
    after: tuple[np.ndarray, ...] = ()
    mirrored: tuple[np.ndarray, ...] = ()


def sampled(data: Examination, listing: Examples) -> tuple[Row, ...]:
    """Return a row for each class; TensorFlow is only imported when the recipe has an augmentation.

    Args:
        data: The examined examples.
        listing: The same examples, from which pixels are read again.
    """
    import numpy as np

    preprocessing = data.recipe.data.preprocessing
    chosen = _chosen(data)
    pixels = [preprocessing.apply(listing.examples[p].read()[preprocessing.key]) for _, ps in chosen for p in ps]
    after = _augmented(np.stack(pixels), data) if pixels and data.recipe.data.augmentation else []
    rows, start = [], 0
    for label, positions in chosen:
        stop = start + len(positions)
        mirrored = tuple(np.flip(pixels[start], AXES[direction]) for direction in data.mirrored())
        rows.append(Row(label, tuple(pixels[start:stop]), tuple(after[start:stop]), mirrored))
        start = stop
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


def _augmented(pixels: np.ndarray, data: Examination) -> list[np.ndarray]:
    """Return the examples after augmentation, as one training batch of them would be."""
    import numpy as np

    from cnnpipe.batches import view_batches
    from cnnpipe.quiet import quiet_tensorflow

    quiet_tensorflow()
    names = tuple(map(str, range(len(pixels))))
    no_labels = {"labels": np.zeros((len(names), 1), np.float32)}  # mixed along with the images, and shown nowhere
    split = SplitData(names, (None,) * len(names), {"images": pixels}, no_labels)
    (batch,) = view_batches(split, len(names), SEED, 0, data.recipe.data.augmentation, {"labels": "labels"})
    return list(np.clip(np.rint(batch[0].numpy()), 0, 255).astype(np.uint8))


def _spread(items: Sequence[Item], most: int) -> list[Item]:
    """Return at most so many items, spread evenly."""
    count = min(len(items), most)
    return [items[number * len(items) // count] for number in range(count)]
