"""Batches of examples for `fit`. A training batch is a pure function of seed and global step.

So there is no iterator whose state would have to be saved: a run that goes on at step 1,000 sees what it would have
seen. The order of an epoch is a keyed permutation that is computed index by index (a block cipher on the indices), and
every augmentation draws from a generator that is keyed by the step. A batch may span two epochs, so that no batch is
short and no example is left out.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from cnnpipe.augmentations import Augmentation
from cnnpipe.reading import ALIGNMENT

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf

    from cnnpipe.data import SplitData

Named = Mapping[str, Any]
ROUNDS = 16
"""Rounds of the permutation. TensorFlow's default of 4 is too few: at 60,000 examples, the correlation of neighbours in
an epoch's order was 22 times that of chance, and with small keys orders resembled each other and the data itself."""


def training_batches(
    split: SplitData,
    batch_size: int,
    seed: int,
    start_step: int,
    stop_step: int,
    augmentation: Sequence[Augmentation] = (),
    views: int = 1,
    keys: Mapping[str, str] | None = None,
    soften: Callable[[Named], Named] | None = None,
    by_output: Callable[[Named], Named] | None = None,
    part: tuple[int, int] = (0, 1),
) -> tf.data.Dataset:
    """Return the batches of the steps from `start_step` up to, not including, `stop_step`.

    Args:
        split: The training examples; at least one.
        batch_size: Examples per batch; every batch has as many.
        seed: Another seed is another order and other random changes.
        start_step: Number of the first batch, counted over all epochs.
        stop_step: Number after the last one.
        augmentation: Random changes, in order.
        views: How many copies of each example the inputs hold, all examples of a view together; an epoch shows one
            view, the next epoch the next one.
        keys: Which targets augmentations may change, by their keys in a batch (`Task.augmented`).
        soften: Makes labels in a batch of targets such that they may be averaged (`Task.soft_labels`); called when an
            augmentation mixes labels.
        by_output: Makes of a batch of changed targets what is trained on (`Task.training_targets`).
        part: Number of a part and how many equal ones a batch has; this part alone is returned. It is the same in
            whatever process it is made, so where there is augmentation the whole batch is changed first.

    Returns:
        Pairs of inputs (float32) and targets; a dict by name where there are several, else the tensor itself.
    """
    import tensorflow as tf

    count = len(split)
    gather = _gatherer(split)
    change = _changer(augmentation, seed, keys, soften)
    first, last = (batch_size * number // part[1] for number in (part[0], part[0] + 1))
    early = not augmentation

    def batch(step: Any) -> Any:
        position = step * batch_size + tf.range(batch_size, dtype="int64")
        position = position[first:last] if early else position
        epoch = position // count
        index = _shuffled(position % count, epoch, seed, count)
        inputs, targets = gather(index, index + epoch % views * count)
        inputs, targets = change(inputs, targets, step)
        if not early and part[1] > 1:
            inputs, targets = tf.nest.map_structure(lambda rows: rows[first:last], (inputs, targets))
        return _pair(inputs, by_output(targets) if by_output else targets)

    steps = tf.data.Dataset.range(start_step, stop_step)
    return _in_place(steps.map(_traced(batch), num_parallel_calls=2, deterministic=True).prefetch(4))


def plain_batches(split: SplitData, batch_size: int) -> tf.data.Dataset:
    """Return all examples once, in order, unchanged; the last batch may be short. Pairs as in `training_batches`."""
    return view_batches(split, batch_size, 0, 0, ())


def view_batches(
    split: SplitData,
    batch_size: int,
    seed: int,
    view: int,
    augmentation: Sequence[Augmentation],
    keys: Mapping[str, str] | None = None,
) -> tf.data.Dataset:
    """Return all examples once, in order, each changed at random; the last batch may be short.

    The changes are a pure function of the seed, the view and the number of the batch, and other ones than those of the
    steps of `training_batches`. `keys` are those of `training_batches`; without them, targets are left as they are.
    """
    import tensorflow as tf

    count = len(split)
    gather = _gatherer(split)
    change = _changer(augmentation, f"{seed} view {view}", keys)

    def batch(start: Any) -> Any:
        rows = tf.range(start, tf.minimum(start + batch_size, count))
        return _pair(*change(*gather(rows, rows), start // batch_size))

    starts = tf.data.Dataset.range(0, count, batch_size)
    return _in_place(starts.map(_traced(batch), num_parallel_calls=2, deterministic=True).prefetch(4))


def _traced(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the function such that TensorFlow does not rewrite its source first: seconds, and nothing to rewrite."""
    import tensorflow as tf

    return cast("Callable[[Any], Any]", tf.autograph.experimental.do_not_convert(function))


def _shuffled(position: Any, epoch: Any, seed: int, count: int) -> Any:
    """Return the example at each position of its epoch's order. One key for each: a batch may span two epochs.

    `tf.random.experimental.index_shuffle` pads such keys wrongly, so its raw operation is called.
    """
    import tensorflow as tf

    first, last = (tf.fill(tf.shape(epoch), tf.constant(_key(seed, word), "int64")) for word in ("first", "last"))
    key = tf.cast(tf.stack([first, epoch, last], axis=1), "int32")
    top = tf.constant(count - 1, "int64")
    return tf.raw_ops.RandomIndexShuffle(index=position, seed=key, max_index=top, rounds=ROUNDS)


def _key(seed: object, use: object) -> int:
    """Return 31 bits that depend on all of a seed, of any size, and on what they are for."""
    return int.from_bytes(hashlib.sha256(f"{seed} {use}".encode()).digest()[:4], "big") >> 1


def _in_place(batches: tf.data.Dataset) -> tf.data.Dataset:
    """Return batches whose pixels are not copied: to rewrite a dataset, TensorFlow copies what its functions use."""
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    options.experimental_optimization.inject_prefetch = False
    return batches.with_options(options)


def _gatherer(split: SplitData) -> Callable[[Any, Any], tuple[dict[str, Any], dict[str, Any]]]:
    """Return a function from the numbers of examples, and of the rows of their inputs, to inputs (float32), targets."""
    import tensorflow as tf

    inputs = {name: _column(array) for name, array in split.inputs.items()}
    targets = {name: _column(array) for name, array in split.targets.items()}

    def gather(index: Any, row: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        return (
            {name: tf.cast(column(row), "float32") for name, column in inputs.items()},
            {name: column(index) for name, column in targets.items()},
        )

    return gather


def _column(array: np.ndarray) -> Callable[[Any], Any]:
    """Return a function from indices to rows. The array is not copied where TensorFlow can use its memory as it is.

    So pixels stand in memory once, and an array on disk stays there. TensorFlow's kernels end the process when memory
    does not begin on a border of 64 bytes.
    """
    import numpy as np
    import tensorflow as tf

    usable = array.flags.c_contiguous and array.flags.writeable and array.size and array.dtype.kind in "uif"
    if usable and array.ctypes.data % ALIGNMENT == 0:
        shared = tf.experimental.dlpack.from_dlpack(array.view(np.ndarray).__dlpack__())
        return lambda index: tf.gather(shared, index)
    if not isinstance(array, np.memmap):
        whole = tf.constant(array)
        return lambda index: tf.gather(whole, index)

    def rows(index: Any) -> Any:
        found = tf.numpy_function(lambda i: np.asarray(array[i]), [index], array.dtype, stateful=False)
        return tf.ensure_shape(found, (*index.shape, *array.shape[1:]))

    return rows


def _changer(
    augmentation: Sequence[Augmentation],
    seed: object,
    keys: Mapping[str, str] | None = None,
    soften: Callable[[Named], Named] | None = None,
) -> Callable[..., tuple[dict[str, Any], dict[str, Any]]]:
    """Return a function that augments a batch of a step."""
    generator = _step_seeds() if augmentation else None
    mixes, changed = any(spec.mixes_labels for spec in augmentation), keys or {}

    def change(
        inputs: Mapping[str, Any], targets: Mapping[str, Any], step: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        if generator is None:
            return dict(inputs), dict(targets)
        ((name, images),) = inputs.items()
        targets = soften(targets) if mixes and soften else targets
        batch = {"images": images, **_nested({key: targets[target] for target, key in changed.items()})}
        draws = generator(seed, step)
        for spec in augmentation:
            batch = spec.apply(batch, draws)
        return {name: batch["images"]}, {**targets, **{target: _inside(batch, key) for target, key in changed.items()}}

    return change


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return `{"a": {"b": value}}` for the key `a.b`."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        *outer, last = key.split(".")
        inner = found
        for part in outer:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return found


def _inside(values: Mapping[str, Any], key: str) -> Any:
    return functools.reduce(lambda found, part: found[part], key.split("."), values)


def _step_seeds() -> Callable[[object, Any], Any]:
    """Return a class of Keras seed generators that keep no state: draw k of step s is the same whenever it is asked."""
    import keras
    import tensorflow as tf

    class StepSeeds(keras.random.SeedGenerator):  # type: ignore[misc]
        def __init__(self, seed: object, step: Any) -> None:
            self.seed, self.step, self.drawn = seed, step, 0

        def next(self, ordered: bool = True) -> Any:
            self.drawn += 1
            return tf.stack([tf.constant(_key(self.seed, self.drawn), "uint32"), tf.cast(self.step, "uint32")])

    return StepSeeds


def _pair(inputs: Mapping[str, Any], targets: Mapping[str, Any]) -> tuple[Any, Any]:
    return _only(inputs), _only(targets)


def _only(values: Mapping[str, Any]) -> Any:
    return next(iter(values.values())) if len(values) == 1 else dict(values)
