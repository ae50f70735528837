"""Files that are never half-written: a temporary name beside the target, fsync, rename, fsync of the folder."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cnnpipe.errors import Problem, ProblemError

TEMPORARY = ".writing-"
"""How the name of a file begins while it is being written."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path with the suffix of `path`; what was written there becomes `path` in one step.

    When the block fails, `path` keeps its old content, and nothing is left behind.

    Raises:
        ProblemError: The disk is full, or the folder cannot be written.
    """
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{path.name}")
    try:
        yield temporary
        sync(temporary)
        os.replace(temporary, path)
        sync(path.parent)
    except OSError as error:
        raise writing_failed(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a whole file in one step."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write a whole file in one step, UTF-8, with line ends as they are in `content`."""
    write_bytes(path, content.encode("utf-8"))


def writing_failed(path: Path, error: OSError) -> ProblemError:
    """Return the clear form of an error that stopped the writing of `path`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ProblemError(
            Problem(f"no space left on the disk for {path}", hint="Free some space; nothing was overwritten.")
        )
    if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
        return ProblemError(
            Problem(f"{path.parent} cannot be written (read-only)", hint="Choose a folder that can be written.")
        )
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EEXIST):
        return ProblemError(Problem(f"{path} cannot be written: {path.parent} is not a folder (any more)"))
    return ProblemError(Problem(f"{path} cannot be written ({error.strerror or error})"))


def sync(path: Path) -> None:
    """Make a file or a folder last through a power cut. Windows cannot open folders, and needs no such call."""
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
