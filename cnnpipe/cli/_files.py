"""Where command files lie: the shipped ones and those of plugin folders."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from cnnpipe.errors import Problem, ProblemError

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
    name = f"cnnpipe_plugins.cli.{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ProblemError(Problem(f"{file} cannot be imported"))
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise ProblemError(Problem(f"{file} cannot be imported ({type(error).__name__}: {error})")) from error
    return module
