"""What this machine and this installation are: versions, devices, memory, disks, caches; and what is wrong there."""

from __future__ import annotations

import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from cnnpipe.errors import Problem
from cnnpipe.runs import hardware, versions

PROJECT = "cnnpipe"
LITTLE = 2 * 10**9
"""Bytes of free disk or memory below which there is a warning."""
SECONDS = 60.0
"""How long TensorFlow may take to tell its devices."""


@dataclass(frozen=True)
class Package:
    """A package that cnnpipe needs or can use.

    Args:
        name: As on the package index.
        version: None when it is not installed.
        tested: The range of versions that cnnpipe was tested with, such as `<3,>=2`; empty when none is stated.
        extra: The extra that brings it; empty when it is always needed.
        fits: Whether the version lies in the range.
    """

    name: str
    version: str | None
    tested: str = ""
    extra: str = ""
    fits: bool = True


@dataclass(frozen=True)
class Folder:
    """A folder in which something is kept.

    Args:
        what: What is kept there.
        path: The folder.
        bytes: Of all files there; None when the folder does not exist.
        entries: Names of the files or folders in it.
    """

    what: str
    path: Path
    bytes: int | None = None
    entries: tuple[str, ...] = ()


@dataclass(frozen=True)
class Environment:
    """What was found.

    Args:
        versions: Of Python and of the packages that a result depends on.
        hardware: System, processor, cores, usable_cores, memory and free_memory (bytes, None when unknown).
        packages: What is needed and what could be.
        free: Free bytes by folder.
        folders: Caches and the folder of runs.
        devices: What TensorFlow can compute on; None when it was not asked.
        problems: What is wrong, as warnings.
    """

    versions: Mapping[str, str]
    hardware: Mapping[str, Any]
    packages: tuple[Package, ...]
    free: Mapping[str, int]
    folders: tuple[Folder, ...]
    devices: tuple[str, ...] | None
    problems: tuple[Problem, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the plain form: versions, hardware, packages, free, folders, devices, problems."""
        return {
            "versions": dict(self.versions),
            "hardware": dict(self.hardware),
            "packages": [vars(package) for package in self.packages],
            "free": dict(self.free),
            "folders": [{**vars(f), "path": str(f.path), "entries": list(f.entries)} for f in self.folders],
            "devices": None if self.devices is None else list(self.devices),
            "problems": [{"message": problem.message, "hint": problem.hint} for problem in self.problems],
        }


def environment(runs_folder: str | Path = Path("runs"), devices: bool = False) -> Environment:
    """Look at this machine and this installation. Nothing is sent anywhere, and nothing heavy is imported here.

    Args:
        runs_folder: Where all runs lie.
        devices: Whether to ask TensorFlow for its devices, in a child process; takes seconds.
    """
    runs = Path(runs_folder)
    folders = _folders(runs)
    packages = tuple(_packages())
    machine = {**hardware(), "usable_cores": _usable_cores(), **_memory()}
    free = {str(place): shutil.disk_usage(_existing(place)).free for place in (runs, Path(tempfile.gettempdir()))}
    found, problems = _devices() if devices else (None, [])
    problems += [*_version_problems(packages), *_space_problems(free, machine), *_keras_problems(), *_locked(runs)]
    return Environment(versions(), machine, packages, free, folders, found, tuple(problems))


def tensorflow_devices() -> list[str]:
    """Return what TensorFlow can compute on, such as `CPU:0` and `GPU:0 (NVIDIA A100)`. Imports it."""
    from cnnpipe.quiet import quiet_tensorflow

    quiet_tensorflow()
    import tensorflow as tf

    found = []
    for device in tf.config.list_physical_devices():
        details = tf.config.experimental.get_device_details(device).get("device_name", "")
        name = device.name.removeprefix("/physical_device:")
        found.append(f"{name} ({details})" if details else name)
    return found


def _devices() -> tuple[tuple[str, ...] | None, list[Problem]]:
    from cnnpipe.child import Child, ChildError

    with Child("the process that asks TensorFlow") as child:
        try:
            return tuple(child.call("cnnpipe.jobs.environment.tensorflow_devices", timeout=SECONDS)), []
        except ChildError as error:
            return None, [_warning(problem.message, problem.hint) for problem in error.problems]


def _packages() -> Iterator[Package]:
    """Yield what the installed package says that it needs, with the ranges that it was tested with."""
    from packaging.requirements import Requirement

    try:
        needed = [Requirement(text) for text in metadata.requires(PROJECT) or ()]
    except metadata.PackageNotFoundError:
        needed = []
    extras = sorted(_extras())
    for requirement in needed:
        extra = next((name for name in extras if _only_for(requirement, name)), "")
        if extra == "test" or (requirement.marker and not requirement.marker.evaluate({"extra": extra})):
            continue
        version = _version(requirement.name, *requirement.extras)
        fits = version is None or requirement.specifier.contains(version, prereleases=True)
        name = requirement.name + "".join(f"[{part}]" for part in sorted(requirement.extras))
        yield Package(name, version, str(requirement.specifier), extra, fits)


def _extras() -> list[str]:
    try:
        return metadata.metadata(PROJECT).get_all("Provides-Extra") or []
    except metadata.PackageNotFoundError:
        return []


def _only_for(requirement: Any, extra: str) -> bool:
    """Whether a requirement belongs to an extra."""
    marker = requirement.marker
    return bool(marker and not marker.evaluate({"extra": ""}) and marker.evaluate({"extra": extra}))


def _version(name: str, *extras: str) -> str | None:
    """Return the version of a package, None when it or what its extras need is not installed."""
    from packaging.requirements import Requirement

    try:
        needed = [Requirement(text) for text in (metadata.requires(name) or ()) if extras]
        for requirement in needed:
            if any(_only_for(requirement, extra) for extra in extras):
                metadata.version(requirement.name)
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _version_problems(packages: tuple[Package, ...]) -> Iterator[Problem]:
    from packaging.specifiers import SpecifierSet

    for package in packages:
        if not package.extra and package.version is None:
            yield _warning(f"{package.name} is not installed", f"Install it: pip install '{package.name}'.")
        if not package.fits:
            yield _warning(
                f"{package.name} {package.version} is outside of the range that was tested ({package.tested})",
                f"Install a version of that range: pip install '{package.name}{package.tested}'.",
            )
    try:
        wanted = metadata.metadata(PROJECT)["Requires-Python"]
    except metadata.PackageNotFoundError:
        yield _warning("cnnpipe is not installed as a package, so nothing is known of versions", "pip install -e .")
        return
    if not SpecifierSet(wanted).contains(platform.python_version(), prereleases=True):
        yield _warning(f"Python {platform.python_version()} is outside of the range that was tested ({wanted})", "")


def _space_problems(free: Mapping[str, int], machine: Mapping[str, Any]) -> Iterator[Problem]:
    for folder, size in free.items():
        if size < LITTLE:
            yield _warning(f"only {size / 1e9:.1f} GB are free for {folder}", "Free some space.")
    memory = machine["free_memory"]
    if memory is not None and memory < LITTLE:
        yield _warning(f"only {memory / 1e9:.1f} GB of memory are free", "Close other programs.")


def _keras_problems() -> Iterator[Problem]:
    """Yield settings of Keras, in the environment and in its file, under which nothing here was tested."""
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    if backend != "tensorflow":
        yield _warning(f"KERAS_BACKEND is {backend}, and only tensorflow works here", "Unset it.")
    file = _keras_home() / "keras.json"
    try:
        order = json.loads(file.read_text(encoding="utf-8")).get("image_data_format", "channels_last")
    except (OSError, ValueError, AttributeError):
        return
    if order != "channels_last":
        yield _warning(f"{file} says image_data_format {order}, and only channels_last works here", "Change it there.")


def _locked(runs: Path) -> Iterator[Problem]:
    place = _existing(runs)
    if not os.access(place, os.W_OK):
        yield _warning(f"{place} cannot be written, and runs would be kept there", "Give another folder with --runs.")


def _folders(runs: Path) -> tuple[Folder, ...]:
    data = Path(os.environ.get("TFDS_DATA_DIR") or Path.home() / "tensorflow_datasets")
    return (
        _folder("runs", runs),
        _folder("cnnpipe's caches", runs / ".cache"),
        _folder("Keras's weights", _keras_home() / "models"),
        _folder("TensorFlow Datasets", data),
    )


def _keras_home() -> Path:
    """Return the folder that Keras uses: https://keras.io/api/utils/config_utils."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")


def _folder(what: str, path: Path) -> Folder:
    if not path.is_dir():
        return Folder(what, path)
    names = tuple(sorted(p.name for p in path.iterdir() if not p.name.startswith(".")))
    return Folder(what, path, sum(file.stat().st_size for file in path.rglob("*") if file.is_file()), names)


def _existing(path: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    path = path.absolute()
    return next(place for place in (path, *path.parents) if place.is_dir())


def _usable_cores() -> int | None:
    """Return how many cores this process may use, which may be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _memory() -> dict[str, int | None]:
    """Return all and free memory in bytes, None where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.endswith("kB")}
        return {"memory": sizes.get("MemTotal"), "free_memory": sizes.get("MemAvailable")}
    except OSError:
        pass
    try:
        return {"memory": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), "free_memory": None}
    except (AttributeError, ValueError, OSError):
        return {"memory": None, "free_memory": None}


def _warning(message: str, hint: str) -> Problem:
    return Problem(message, hint=hint, severity="warning")
