"""Where command files lie: the shipped ones and those of plugin folders."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.locations import import_plugin

SHIPPED = Path(__file__).parent


def command_files(folders: tuple[Path, ...] = ()) -> dict[str, Path]:
    """Return the file of every command by name: the shipped ones, then those of plugin folders.

    Raises:
        ProblemError: Two files define the same command.
    """
    rooms = [SHIPPED, *(folder / "cli" for folder in folders)]
    found: dict[str, Path] = {}
    for file in (file for room in rooms for file in sorted(room.glob("[a-z]*.py"))):
        name = file.stem.replace("_", "-")
        if found.setdefault(name, file) != file:
            raise ProblemError(Problem(f"{file} and {found[name]} both define the command '{name}'"))
    return dict(sorted(found.items()))


def import_command(file: Path) -> ModuleType:
    """Import the file of a command.

    Raises:
        ProblemError: A file of a plugin folder cannot be imported.
    """
    if file.parent == SHIPPED:
        return importlib.import_module(f"cnnpipe.cli.{file.stem}")
    return import_plugin("cli", file)
