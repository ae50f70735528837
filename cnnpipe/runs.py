"""Run folders: `runs/<name>/<NNNN>`, one for each training, never overwritten, safe against kills and full disks."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import IO, Any, Literal

from cnnpipe import files
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.events import Listener
from cnnpipe.registry import plugin_folders
from cnnpipe.spec import nearest

State = Literal["created", "training", "trained", "exported", "failed", "interrupted"]
RECORD = "run.json"
LABELS, MODEL, RESOLVED = "labels.txt", "model.keras", "resolved.yaml"
VERSIONS_OF = ("cnnpipe", "tensorflow", "keras", "ai-edge-litert", "numpy", "pillow")


@dataclass(frozen=True)
class Run:
    """One run folder. All writing is atomic: a file is there whole, or as it was before."""

    folder: Path

    @property
    def reference(self) -> str:
        """Name and number, such as `digits/0007`."""
        return f"{self.folder.parent.name}/{self.folder.name}"

    def write_bytes(self, name: str, content: bytes) -> Path:
        """Write a file of the run and return its path. Raises `ProblemError` when it cannot be written."""
        path = self.folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise files.writing_failed(path, error) from error
        files.write_bytes(path, content)
        return path

    def write_text(self, name: str, content: str) -> Path:
        """Write a text file of the run (UTF-8) and return its path."""
        return self.write_bytes(name, content.encode("utf-8"))

    def write_json(self, name: str, content: Any) -> Path:
        """Write a JSON file of the run and return its path. Not-a-number is refused: JSON has no such value."""
        return self.write_text(name, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")

    def read_text(self, name: str) -> str:
        """Return a text file of the run. Raises `ProblemError` when it is not there or no text."""
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ProblemError(Problem(f"{self.folder / name} cannot be read ({_reason(error)})")) from error

    def read_json(self, name: str) -> Any:
        """Return the content of a JSON file of the run. Raises `ProblemError` when it is not there or damaged."""
        text = self.read_text(name)
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise ProblemError(Problem(f"{self.folder / name} is damaged ({error})")) from error

    def record(self) -> dict[str, Any]:
        """Return what `run.json` holds."""
        content = self.read_json(RECORD)
        if not isinstance(content, dict):
            raise ProblemError(Problem(f"{self.folder / RECORD} is damaged (no mapping)"))
        return content

    def update(self, state: State | None = None, **values: Any) -> None:
        """Change the state and further keys of `run.json`."""
        changes = {**({"state": state} if state else {}), **values, "updated": _now()}
        self.write_json(RECORD, {**self.record(), **changes})

    @contextmanager
    def locked(self, listener: Listener | None = None) -> Iterator[None]:
        """Keep every other process out of this folder for the time of the block.

        The lock belongs to the process, so a killed one leaves none; what it was writing is removed, with a note.

        Raises:
            ProblemError: Another process works in this folder, or the folder cannot be written.
        """
        path = self.folder / ".lock"
        try:
            file = open(path, "a+", encoding="utf-8")
        except OSError as error:
            raise files.writing_failed(path, error) from error
        with file:
            holder = _text(file)
            if not _lock(file):
                raise ProblemError(
                    Problem(
                        f"{self.folder} is in use by another process ({holder or 'unknown'})",
                        hint="Wait for it, or stop it.",
                    )
                )
            if holder:
                for leftover in self.folder.rglob(f"{files.TEMPORARY}*"):
                    leftover.unlink(missing_ok=True)
                (listener or Listener()).note(
                    f"{self.reference} was left by {holder}, which is gone; its lock was taken over"
                )
            _replace_text(file, f"process {os.getpid()} on {platform.node()}")
            try:
                yield
            finally:
                _replace_text(file, "")


def create_run(runs_folder: str | Path, name: str, record: Mapping[str, Any] | None = None) -> Run:
    """Make the next numbered folder below `runs_folder/name`, with a `run.json` in the state `created`.

    Args:
        runs_folder: Where all runs lie; made when it is not there.
        name: The recipe's name.
        record: More for `run.json`: seed, fingerprint of the data, and what else the job knows.

    Raises:
        ProblemError: The folder cannot be made.
    """
    parent = Path(runs_folder) / name
    try:
        parent.mkdir(parents=True, exist_ok=True)
        folder = _next_folder(parent)
    except OSError as error:
        raise files.writing_failed(parent / "0001", error) from error
    run = Run(folder)
    try:
        run.write_json(RECORD, {
            "name": name, "number": int(folder.name), "state": "created", "created": _now(), "updated": _now(),
            "versions": versions(), "hardware": hardware(), "plugins": plugins(), **(record or {}),
        })  # fmt: skip
    except ProblemError:
        with suppress(OSError):
            folder.rmdir()
        raise
    return run


def open_run(reference: str | Path, runs_folder: str | Path = Path("runs")) -> Run:
    """Return an earlier run.

    Args:
        reference: A run folder, a name and number (`digits/0007`), or a name (`digits`: its newest run).
        runs_folder: Where names are looked up.

    Raises:
        ProblemError: There is no such run.
    """
    for folder in (Path(reference), Path(runs_folder) / reference):
        if (folder / RECORD).is_file():
            return Run(folder)
        numbered = _numbered(folder)
        if numbered:
            return Run(numbered[-1])
    if (Path(reference) / "rejected.json").is_file():
        raise ProblemError(
            Problem(f"the file in {reference} was rejected", hint=f"{Path(reference) / 'rejected.json'} says why.")
        )
    known = [run.reference for run in list_runs(runs_folder)]
    meant = nearest(str(reference), [*known, *{name.split("/")[0] for name in known}])
    hint = f"Did you mean '{meant}'?" if meant else f"Runs in {runs_folder}: {', '.join(known) or 'none'}."
    raise ProblemError(Problem(f"there is no run '{reference}'", hint=hint))


def list_runs(runs_folder: str | Path = Path("runs")) -> list[Run]:
    """Return all runs below `runs_folder`, by name and number."""
    root = Path(runs_folder)
    names = sorted(folder for folder in root.iterdir() if folder.is_dir()) if root.is_dir() else []
    return [Run(folder) for name in names for folder in _numbered(name)]


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that a result depends on, without importing them."""
    found = {"python": platform.python_version()}
    for name in VERSIONS_OF:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def hardware() -> dict[str, Any]:
    """Return what the machine is, as far as Python knows."""
    return {
        "system": platform.system(), "release": platform.release(), "machine": platform.machine(),
        "processor": _processor(), "cores": os.cpu_count(), "byte_order": sys.byteorder,
    }  # fmt: skip


def plugins() -> list[dict[str, Any]]:
    """Return every plugin folder with the sha256 of each of its Python files."""
    return [
        {
            "folder": str(folder),
            "files": {file.relative_to(folder).as_posix(): _digest(file) for file in _python(folder)},
        }
        for folder in plugin_folders()
    ]


def _processor() -> str:
    """Return the processor's name; Linux tells it only in a file."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines() if cpuinfo.is_file() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor()


def _numbered(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    runs = [run for run in folder.iterdir() if run.name.isdecimal() and (run / RECORD).is_file()]
    return sorted(runs, key=lambda run: int(run.name))


def _next_folder(parent: Path) -> Path:
    while True:
        number = max((int(entry.name) for entry in parent.iterdir() if entry.name.isdecimal()), default=0) + 1
        folder = parent / f"{number:04d}"
        try:
            folder.mkdir()
        except FileExistsError:  # another process was faster: take the next number
            continue
        return folder


def _lock(file: IO[str]) -> bool:
    """Take the operating system's lock on an open file; it goes with the process."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(1 << 30)  # a byte beyond the text, which stays readable
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _text(file: IO[str]) -> str:
    file.seek(0)
    return file.read().strip()


def _replace_text(file: IO[str], text: str) -> None:
    try:
        file.seek(0)
        file.truncate()
        file.write(text)
        file.flush()
    except OSError as error:
        raise files.writing_failed(Path(file.name), error) from error


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _python(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def _digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
