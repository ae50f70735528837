"""Features: what the frozen part of a network makes of the examples of a phase."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnpipe.augmentations import Augmentation
from cnnpipe.batches import plain_batches, view_batches
from cnnpipe.build import get_weights, plan
from cnnpipe.data import SplitData
from cnnpipe.events import Listener
from cnnpipe.frozen_features import cache
from cnnpipe.frozen_features.cut import Cut
from cnnpipe.frozen_features.parts import first_part
from cnnpipe.runs import hardware, plugins, versions

if TYPE_CHECKING:
    import keras
    import numpy as np

ROWS = 64
"""Examples per call of the frozen part."""


@dataclass(frozen=True)
class Wanted:
    """Examples, how they are changed, and how often.

    Args:
        split: The examples.
        augmentation: Random changes, in order.
        views: How many changed copies of each example; one when there are no changes.
        seed: Another seed is other changes.
    """

    split: SplitData
    augmentation: tuple[Augmentation, ...] = ()
    views: int = 1
    seed: int = 0

    @property
    def rows(self) -> int:
        """The number of rows of features."""
        return self.views * len(self.split)

    def inputs(self) -> Iterator[Any]:
        """Yield the inputs of some examples at a time, view after view."""
        for view in range(self.views):
            if self.augmentation:
                batches = view_batches(self.split, ROWS, self.seed, view, self.augmentation)
            else:
                batches = plain_batches(self.split, ROWS)
            yield from (inputs for inputs, _ in batches)


@dataclass(frozen=True)
class Features:
    """What was wanted, and how it was come by.

    Args:
        arrays: float32, one row per example and view, for each that was wanted.
        folder: Where they are kept.
        seconds: What computing them took; None when all were kept from before.
        removed: How many files of other features made room.
    """

    arrays: Sequence[np.ndarray]
    folder: Path
    seconds: float | None
    removed: int


def size_of(cut: Cut, wanted: Sequence[Wanted]) -> int:
    """Return how many bytes features take."""
    (end,) = cut.before.outputs.values()
    return 4 * prod(cut.before.nodes[end].shape) * sum(one.rows for one in wanted)


def features_of(
    cut: Cut,
    model: keras.Model,
    wanted: Sequence[Wanted],
    runs_folder: Path,
    listener: Listener,
    interrupted: Callable[[], bool],
) -> Features:
    """Return features, computed only where they are not kept yet.

    Args:
        cut: Where the network was cut.
        model: The network, with the weights of now.
        wanted: The examples.
        runs_folder: Below it features are kept, for all runs.
        listener: Hears how far the computation is.
        interrupted: Tells whether the user wants to stop.

    Raises:
        KeyboardInterrupt: The user wants to stop.
        ProblemError: They cannot be written.
    """
    part, folder = first_part(cut, model), cache.cache_folder(runs_folder)
    keys = [_key(cut, part, one) for one in wanted]
    removed = cache.make_room(folder, {key: size_of(cut, [one]) for key, one in zip(keys, wanted, strict=True)})
    compute = _computer(part, listener, interrupted)
    shape = tuple(part.outputs[0].shape[1:])
    kept = [
        cache.fetched(folder, key, (one.rows, *shape), lambda one=one: compute(one))  # type: ignore[misc]
        for key, one in zip(keys, wanted, strict=True)
    ]
    seconds = [one.seconds for one in kept if one.seconds is not None]
    return Features([one.array for one in kept], folder, sum(seconds) if seconds else None, removed)


def _key(cut: Cut, part: keras.Model, wanted: Wanted) -> str:
    """Return a digest of all that features depend on: layers, weights, pixels, changes, and what computes them."""
    facts = {
        "layers": plan(cut.before),
        "augmentation": [repr(spec) for spec in wanted.augmentation],
        "views": wanted.views,
        "seed": wanted.seed,
        "rows": ROWS,
        "versions": versions(),
        "processor": hardware()["processor"],
        "plugins": [plugin["files"] for plugin in plugins()],
    }
    weights = [array for arrays in get_weights(part).values() for array in arrays]
    return cache.key_of(facts, [*weights, *wanted.split.inputs.values()])


def _computer(
    part: keras.Model, listener: Listener, interrupted: Callable[[], bool]
) -> Callable[[Wanted], Iterator[np.ndarray]]:
    """Return a function that yields features, and tells how far it is."""
    import tensorflow as tf

    (given,) = part.inputs

    @tf.function(input_signature=[tf.TensorSpec((None, *given.shape[1:]), tf.float32)])  # type: ignore[untyped-decorator]
    def call(inputs: Any) -> Any:
        return part(inputs, training=False)

    def compute(wanted: Wanted) -> Iterator[np.ndarray]:
        done = 0
        for inputs in wanted.inputs():
            if interrupted():
                raise KeyboardInterrupt
            rows = call(inputs).numpy()
            done += len(rows)
            listener.progress(done, wanted.rows, {})
            yield rows

    return compute
