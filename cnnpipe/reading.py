"""Reads and preprocesses examples in parallel, into one array that may lie on disk."""

from __future__ import annotations

import hashlib
import math
import os
import tempfile
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cnnpipe.datasets import Example, SplitName
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.events import Listener
from cnnpipe.preprocessing import Preprocessing
from cnnpipe.task import Facts, Task

if TYPE_CHECKING:
    import numpy as np

CHUNK = 64
"""Examples that a thread takes at once, at most: small pictures take less time than a change of threads."""
ALIGNMENT = 64
"""Bytes, on a border of which memory begins that TensorFlow can use without a copy."""
Item = TypeVar("Item")
Result = TypeVar("Result")
SplitOf = Callable[[Example, str], SplitName]
"""Says from an example and its digest in which split it lies."""


@dataclass
class Reading:
    """What became of examples: one row, or one item, for each.

    Args:
        pixels: What preprocessing made of each; zeros where it could not be read.
        digests: sha256 of what the source gave; empty where it could not be read.
        labels: What the source says, when it says labels.
        targets: What the task made of the truth, by name, batch axis first.
        unreadable: Why some could not be read, by position.
        unusable: Why the task cannot use some, by position.
        notes: What was decided, one sentence each.
    """

    pixels: np.ndarray
    digests: list[str] = field(default_factory=list)
    labels: list[Any] = field(default_factory=list)
    targets: dict[str, np.ndarray] = field(default_factory=dict)
    unreadable: dict[int, str] = field(default_factory=dict)
    unusable: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Read:
    digest: str = ""
    labels: Any = None
    targets: Mapping[str, np.ndarray] = field(default_factory=dict)
    unreadable: str = ""
    unusable: str = ""


def read_examples(
    examples: Sequence[Example], task: Task, facts: Facts, split_of: SplitOf | None, listener: Listener, budget: int
) -> Reading:
    """Read, decode and preprocess all examples, in threads.

    Args:
        examples: All of a source.
        task: Makes targets of their truth.
        facts: What the task may know, and the preprocessing.
        split_of: In which split an example lies: those for training are read faster, when they come from a file, from
            which they can be read exactly too. None: all are read exactly.
        listener: Hears of progress.
        budget: Bytes of pixels that may be kept in memory; more are kept in a temporary file.

    Raises:
        ProblemError: There is no room for the pixels.
    """
    import numpy as np

    count = len(examples)
    reading = Reading(_storage(count, facts.preprocessing.input_shape(), budget))
    if isinstance(reading.pixels, np.memmap):
        reading.notes.append(
            f"{_amount(reading.pixels.nbytes)} of preprocessed examples are more than data.memory_budget "
            f"({_amount(budget)}): they were kept in a temporary file in {tempfile.gettempdir()}."
        )
    chunk, step = max(1, min(CHUNK, count // 256)), max(1, count // 100)

    def read(start: int) -> list[_Read]:
        return [
            _read(examples[position], reading.pixels[position], task, facts, split_of)
            for position in range(start, min(start + chunk, count))
        ]

    with _quiet(), closing(_parallel(read, range(0, count, chunk))) as finished:
        for results in finished:
            for result in results:
                _keep(reading, result, count)
                if len(reading.digests) % step == 0 or len(reading.digests) == count:
                    listener.progress(len(reading.digests), count, {})
    return reading


def _keep(reading: Reading, result: _Read, count: int) -> None:
    """Append a result. Columns of targets are made when the first one tells their shapes."""
    import numpy as np

    position = len(reading.digests)
    reading.digests.append(result.digest)
    reading.labels.append(result.labels)
    if result.unreadable:
        reading.unreadable[position] = result.unreadable
    if result.unusable:
        reading.unusable[position] = result.unusable
    for name, target in result.targets.items():
        if name not in reading.targets:
            reading.targets[name] = np.zeros((count, *np.shape(target)), np.asarray(target).dtype)
        reading.targets[name][position] = target


def read_inputs(preprocessing: Preprocessing, files: Sequence[Path]) -> np.ndarray:
    """Return files as the model's inputs before normalization, batch axis first.

    Raises:
        ProblemError: Some cannot be read; names each.
    """
    import numpy as np

    def read(file: Path) -> np.ndarray | Problem:
        try:
            return preprocessing.apply(file.read_bytes())
        except (OSError, ValueError) as error:
            return Problem(f"{file} cannot be read: {_reason(error)}")

    with _quiet():
        results = list(_parallel(read, files))
    if problems := [result for result in results if isinstance(result, Problem)]:
        raise ProblemError(problems)
    return np.array(results, dtype=np.uint8).reshape(len(files), *preprocessing.input_shape())


def arrange(storage: np.ndarray, order: Sequence[int]) -> None:
    """Put row `order[i]` at `i` for every row, in place: there may be no room for a copy."""
    done = [False] * len(order)
    for start in range(len(order)):
        if done[start] or order[start] == start:
            continue
        first, position = storage[start].copy(), start
        while order[position] != start:
            storage[position] = storage[order[position]]
            done[position], position = True, order[position]
        storage[position], done[position] = first, True


def _storage(count: int, shape: tuple[int, ...], budget: int) -> np.ndarray:
    """Return an array for all examples: in memory, or in a temporary file that vanishes with it.

    Its first row lies on a border of 64 bytes, as TensorFlow wants what it is to use without a copy.
    """
    import numpy as np

    size = count * math.prod(shape)
    if size <= budget:
        memory = np.zeros(size + ALIGNMENT, np.uint8)
        start = -memory.ctypes.data % ALIGNMENT
        return memory[start : start + size].reshape(count, *shape)
    try:
        with tempfile.TemporaryFile() as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            return np.memmap(file, np.uint8, "r+" if hasattr(os, "posix_fallocate") else "w+", 0, (count, *shape))
    except OSError as error:
        raise ProblemError(
            Problem(
                f"{_amount(size)} of examples do not fit into {tempfile.gettempdir()} ({error.strerror})",
                hint="Free space there, or set TMPDIR to another folder.",
            )
        ) from None


def _amount(size: int) -> str:
    return f"{size / 2**30:.3g} GiB"


def _read(example: Example, row: np.ndarray, task: Task, facts: Facts, split_of: SplitOf | None) -> _Read:
    """Fill a row with what preprocessing makes of an example; say what else there is to know of it."""
    preprocessing = facts.preprocessing
    try:
        raw = example.read()
        digest = digest_of(raw[preprocessing.key])
        faster = split_of is not None and example.file is not None and split_of(example, digest) == "training"
        apply = preprocessing.apply_for_training if faster else preprocessing.apply
        pixels = apply(raw[preprocessing.key])
    except (OSError, ValueError) as error:
        return _Read(unreadable=_reason(error))
    try:
        targets = task.encode(preprocessing.placed(raw), facts)
    except ValueError as error:
        return _Read(unusable=_reason(error))
    row[:] = pixels
    return _Read(digest, raw.get("labels"), targets)


def _parallel(function: Callable[[Item], Result], items: Iterable[Item]) -> Generator[Result, None, None]:
    """Yield the results in order, computed in threads; what was not begun is dropped when the caller closes it."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(function, items)


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide what decoders warn of while they work around it: broken metadata, unused profiles, large pictures."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


def digest_of(raw: Any) -> str:
    """Return the sha256 of a file's content, or of an array with its type and shape."""
    if isinstance(raw, bytes):
        return hashlib.sha256(raw).hexdigest()
    return hashlib.sha256(f"{raw.dtype} {raw.shape} ".encode() + raw.tobytes()).hexdigest()


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "the file does not exist"
    return (isinstance(error, OSError) and error.strerror) or str(error).rstrip(".")
