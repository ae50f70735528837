"""Features on the disk: one file for each split and what it was computed from, within a budget, written whole."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnpipe import files

if TYPE_CHECKING:
    import numpy as np

BUDGET = 4 << 30
"""Bytes that all features of a runs folder may take; the ones that were not used for longest are removed first."""
IN_MEMORY = 256 << 20
"""Bytes up to which features are read whole; larger ones stay on the disk and are read row by row."""
ABANDONED = 3600
"""Seconds after which a half-written file belongs to nobody."""
CHUNK = 1 << 26


@dataclass(frozen=True)
class Kept:
    """Features and where they lie.

    Args:
        array: float32, one row per example and view.
        file: Their file.
        seconds: What computing them took; None when the file was there.
    """

    array: np.ndarray
    file: Path
    seconds: float | None


def cache_folder(runs_folder: Path) -> Path:
    """Return where the features of all runs below a folder lie."""
    return runs_folder / ".cache" / "features"


def key_of(facts: Mapping[str, Any], arrays: Iterable[np.ndarray]) -> str:
    """Return a digest of plain values and of arrays, to the last bit."""
    import numpy as np

    total = hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode())
    for array in arrays:
        total.update(f"{array.dtype} {array.shape} ".encode())
        rows = max(1, CHUNK // max(array[:1].nbytes, 1)) if array.ndim else 1
        for start in range(0, len(array) if array.ndim else 1, rows):
            total.update(np.ascontiguousarray(array[start : start + rows] if array.ndim else array).data)
    return total.hexdigest()


def fetched(folder: Path, key: str, shape: tuple[int, ...], compute: Callable[[], Iterable[np.ndarray]]) -> Kept:
    """Return features from their file; when there is none, or it is damaged, compute and keep them.

    Args:
        folder: What `cache_folder` returned.
        key: Digest of all that they depend on.
        shape: Their shape.
        compute: Yields them in order, some rows at a time.

    Raises:
        ProblemError: The file cannot be written.
    """
    file = _file(folder, key)
    found = _read(file, shape)
    if found is not None:
        return Kept(found, file, None)
    begun = time.monotonic()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise files.writing_failed(file, error) from error
    _write(file, shape, compute)
    found = _read(file, shape)
    if found is None:
        raise files.writing_failed(file, OSError("it was removed while it was being used"))
    return Kept(found, file, time.monotonic() - begun)


def make_room(folder: Path, wanted: Mapping[str, int]) -> int:
    """Remove the features that were used longest ago, so that what is about to be written stays within the budget.

    Args:
        folder: What `cache_folder` returned.
        wanted: Bytes of features by their key. They are not removed, and need no room where they are there.

    Returns:
        The number of files that were removed.
    """
    staying = {_file(folder, key): size for key, size in wanted.items()}
    found = []
    for file in folder.glob("*.npy") if folder.is_dir() else ():
        with suppress(OSError):  # another process may just remove it
            found.append((file.stat().st_mtime, file.stat().st_size, file))
    there = {file for _, _, file in found}
    total = sum(size for _, size, _ in found) + sum(size for file, size in staying.items() if file not in there)
    removed = 0
    for written, size, file in sorted(found):
        half_written = file.name.startswith(files.TEMPORARY)
        if time.time() - written > ABANDONED if half_written else total > BUDGET and file not in staying:
            with suppress(OSError):
                file.unlink()
                total, removed = total - size, removed + 1
    return removed


def _file(folder: Path, key: str) -> Path:
    return folder / f"{key[:32]}.npy"


def _read(file: Path, shape: tuple[int, ...]) -> np.ndarray | None:
    import numpy as np

    try:
        found: np.ndarray = np.load(file, mmap_mode="r", allow_pickle=False)
        if found.shape != shape or found.dtype != np.float32:
            return None
        with suppress(OSError):
            os.utime(file)  # so that it counts as just used
        return np.array(found) if found.nbytes <= IN_MEMORY else found
    except (OSError, ValueError, EOFError):
        return None


def _write(file: Path, shape: tuple[int, ...], compute: Callable[[], Iterable[np.ndarray]]) -> None:
    """Write rows as they come, and not through a memory map: a full disk is an error then, not the end of the process.

    Raises:
        ProblemError: The disk is full, or the folder cannot be written.
    """
    import numpy as np

    with files.replacing(file) as temporary, temporary.open("wb") as stream:
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(stream, header)
        for rows in compute():
            stream.write(np.ascontiguousarray(rows, "<f4").data)
