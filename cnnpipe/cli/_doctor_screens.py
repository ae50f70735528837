"""What `doctor` prints on stdout."""

from __future__ import annotations

from collections.abc import Iterator

from cnnpipe.jobs.doctor import Diagnosis
from cnnpipe.jobs.environment import Environment, Folder, Package
from cnnpipe.report.diagnosis import class_table, finding_lines, picture_lines
from cnnpipe.report.tables import byte_size, table

LISTED = 5
"""How many names of a folder are shown."""


def data_screen(found: Diagnosis) -> str:
    """Return what is known of a recipe's data."""
    parts = [
        f"{found.name}: {found.examples:,} examples",
        class_table(found.classes, found.splits),
        picture_lines(found.pictures),
        finding_lines(found.findings),
        f"sheet  {found.sheet}" if found.sheet else "",
    ]
    return "\n\n".join(part for part in parts if part)


def environment_screen(found: Environment) -> str:
    """Return what is known of the machine and the installation."""
    rows = [*_machine(found), *(("free disk", f"{byte_size(size)} for {place}") for place, size in found.free.items())]
    rows += [(folder.what, _folder(folder)) for folder in found.folders]
    width = max(len(name) for name, _ in rows)
    lines = [f"{name:<{width}}  {value}" for name, value in rows]
    packages = table(
        ("package", "version", "tested with", "brought by"),
        [_package(package) for package in found.packages],
        left=("package", "version", "tested with", "brought by"),
    )
    return "\n".join([*lines, "", packages])


def _machine(found: Environment) -> Iterator[tuple[str, str]]:
    machine = found.hardware
    yield "cnnpipe", f"{found.versions['cnnpipe']} on Python {found.versions['python']}"
    yield "system", f"{machine['system']} {machine['release']} {machine['machine']}"
    yield "processor", f"{machine['processor']}, {machine['usable_cores']} of {machine['cores']} cores usable"
    total, free = machine["memory"], machine["free_memory"]
    if total is not None:
        yield "memory", byte_size(total) + (f", {byte_size(free)} free" if free is not None else "")
    yield "devices", "not asked; --devices does" if found.devices is None else ", ".join(found.devices)


def _folder(folder: Folder) -> str:
    if folder.bytes is None:
        return f"{folder.path} (does not exist)"
    names = ", ".join(folder.entries[:LISTED])
    more = f" and {len(folder.entries) - LISTED} more" if len(folder.entries) > LISTED else ""
    return f"{folder.path}, {byte_size(folder.bytes)}" + (f": {names}{more}" if names else "")


def _package(package: Package) -> tuple[str, str, str, str]:
    version = package.version or "not installed"
    return package.name, version + ("" if package.fits else " (!)"), package.tested or "-", package.extra or "-"
