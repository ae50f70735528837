"""A bundle that came as a zip file, unpacked into a temporary folder. Nothing of it is trusted."""

from __future__ import annotations

import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.manifest import MANIFEST

HINT = "Give the folder of a bundle, or a zip file of it."
MOST_FILES, MOST_BYTES = 10_000, 2 * 2**30


@contextmanager
def unpacked(bundle: Path) -> Iterator[Path]:
    """Give the folder of a bundle: the folder itself, that of its bundle.json, or a zip file unpacked for the block.

    Raises:
        ProblemError: There is none, or the zip file is damaged or would write where it must not.
    """
    if bundle.is_dir():
        if not (bundle / MANIFEST).is_file() and (inside := sorted(bundle.glob(f"exports/*/{MANIFEST}"))):
            hint = f"Give one of its bundles: {', '.join(str(file.parent) for file in inside)}."
            raise ProblemError(Problem(f"{bundle} is a run, no bundle", hint=hint))
        yield bundle
    elif bundle.is_file() and bundle.name == MANIFEST:
        yield bundle.parent
    elif bundle.is_file():
        with tempfile.TemporaryDirectory() as folder:
            _unpack(bundle, Path(folder))
            yield _home(Path(folder), bundle)
    else:
        raise ProblemError(Problem(f"{bundle} does not exist", hint=HINT))


def _unpack(file: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            if problems := list(_refusals(entries, file)):
                raise ProblemError(problems)
            for entry in entries:
                _extract(archive, entry, folder / PurePosixPath(entry.filename))
    except ProblemError:
        raise
    except Exception as error:  # a damaged archive can fail in any way
        reason = str(error) or type(error).__name__
        raise ProblemError(Problem(f"{file} is no zip file, or a damaged one ({reason})", hint=HINT)) from None


def _refusals(entries: list[zipfile.ZipInfo], file: Path) -> Iterator[Problem]:
    """Yield why an archive must not be unpacked, from its list of contents alone."""
    if len(entries) > MOST_FILES:
        yield Problem(f"{file} holds {len(entries):,} files; a bundle has at most {MOST_FILES:,}")
    if (total := sum(entry.file_size for entry in entries)) > MOST_BYTES:
        yield Problem(f"{file} would unpack to {total:,} bytes; a bundle has at most {MOST_BYTES:,}")
    seen: set[str] = set()
    for entry in entries[:MOST_FILES]:
        name, path = entry.filename, PurePosixPath(entry.filename)
        if path.is_absolute() or ".." in path.parts or any(sign in name for sign in "\\:\0") or not path.parts:
            yield Problem(f"{file} holds the path {name!r}, which leads out of its folder")
        if stat.S_ISLNK(entry.external_attr >> 16):
            yield Problem(f"{file} holds the link {name!r}; a bundle has only files")
        if entry.flag_bits & 1:
            yield Problem(f"{file} is encrypted ({name!r})")
        key = str(path).lower()
        if key in seen:
            yield Problem(f"{file} holds {name!r} twice")
        seen.add(key)


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    if entry.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(entry) as source, target.open("xb") as copy:  # gives at most the size that was checked
        shutil.copyfileobj(source, copy)


def _home(folder: Path, file: Path) -> Path:
    """Return where the bundle lies: at the top, or in the only folder at the top."""
    inside = [path for path in folder.iterdir() if path.name != "__MACOSX"]
    home = inside[0] if len(inside) == 1 and inside[0].is_dir() else folder
    if not (home / MANIFEST).is_file():
        raise ProblemError(Problem(f"{file} holds no {MANIFEST}"))
    return home
