"""Files as a user names them: files, folders and patterns."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path

from cnnpipe.errors import Problem, ProblemError


def given_files(names: str | Path | Sequence[str | Path]) -> tuple[Path, ...]:
    """Return the files, each once, in the order given; those of a folder (with all below it) or a pattern sorted.

    Hidden files count only when they are named themselves.

    Raises:
        ProblemError: A name stands for nothing; all such names at once.
    """
    found: dict[Path, None] = {}
    problems = []
    for name in (names,) if isinstance(names, (str, Path)) else names:
        files = list(_files(str(name)))
        found.update(dict.fromkeys(files))
        if not files:
            problems.append(_nothing(str(name)))
    if problems:
        raise ProblemError(problems)
    return tuple(found)


def _files(name: str) -> Iterator[Path]:
    path = Path(name)
    if path.is_file():
        yield path
    elif path.is_dir():
        inside = (file for file in path.rglob("*") if file.is_file())
        yield from sorted(file for file in inside if not any(p.startswith(".") for p in file.relative_to(path).parts))
    else:
        yield from sorted(Path(file) for file in glob.glob(name, recursive=True) if Path(file).is_file())


def _nothing(name: str) -> Problem:
    if Path(name).is_dir():
        return Problem(f"the folder {name} holds no files")
    if glob.has_magic(name):
        return Problem(f"no file matches the pattern '{name}'")
    return Problem(f"the file {name} does not exist")
