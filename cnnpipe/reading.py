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

from cnnpipe.datasets import Example
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.events import Listener
from cnnpipe.preprocessing import Preprocessing
from cnnpipe.task import Facts, Task

if TYPE_CHECKING:
    import numpy as np

MEMORY_BUDGET = 2 * 2**30
"""Bytes of examples above which they are kept in a temporary file instead of in memory."""
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Read:
    """One example after reading; its pixels lie in the array of all.

    Args:
        digest: sha256 of what the source gave.
        labels: What the source says, when it says labels.
        targets: What the task made of the truth.
        unreadable: Why it could not be read; empty when it could.
        unusable: Why the task cannot use it; empty when it can.
    """

    digest: str = ""
    labels: Any = None
    targets: Mapping[str, np.ndarray] = field(default_factory=dict)
    unreadable: str = ""
    unusable: str = ""


def read_examples(
    examples: Sequence[Example], task: Task, facts: Facts, listener: Listener
) -> tuple[list[Read], np.ndarray]:
    """Return what became of each example, and the preprocessed inputs, one row each."""
    storage = _storage(len(examples), facts.preprocessing.input_shape())

    def read(position: int) -> Read:
        result, pixels = _read(examples[position], task, facts)
        if pixels is not None:
            storage[position] = pixels
        return result

    results: list[Read] = []
    step = max(1, len(examples) // 100)
    with _quiet(), closing(_parallel(read, range(len(examples)))) as finished:
        for result in finished:
            results.append(result)
            if len(results) % step == 0 or len(results) == len(examples):
                listener.progress(len(results), len(examples), {})
    return results, storage


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


def _storage(count: int, shape: tuple[int, ...]) -> np.ndarray:
    """Return an array for all examples: in memory, or in a temporary file that vanishes with it."""
    import numpy as np

    size = count * math.prod(shape)
    if size <= MEMORY_BUDGET:
        return np.zeros((count, *shape), np.uint8)
    try:
        with tempfile.TemporaryFile() as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            return np.memmap(file, np.uint8, "r+" if hasattr(os, "posix_fallocate") else "w+", 0, (count, *shape))
    except OSError as error:
        raise ProblemError(
            Problem(
                f"{size / 2**30:.1f} GiB of examples do not fit into {tempfile.gettempdir()} ({error.strerror})",
                hint="Free space there, or set TMPDIR to another folder.",
            )
        ) from None


def _read(example: Example, task: Task, facts: Facts) -> tuple[Read, np.ndarray | None]:
    key = facts.preprocessing.key
    try:
        raw = example.read()
        pixels = facts.preprocessing.apply(raw[key])
    except (OSError, ValueError) as error:
        return Read(unreadable=_reason(error)), None
    try:
        return Read(digest_of(raw[key]), raw.get("labels"), task.encode(raw, facts)), pixels
    except ValueError as error:
        return Read(unusable=_reason(error)), None


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
