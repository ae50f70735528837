"""Where command files lie, and their one-line helps, without importing them."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

SHIPPED = Path(__file__).parent


def first_line(file: Path) -> str:
    """Return the first docstring line of a Python file, without importing it; empty when there is none."""
    text = ast.get_docstring(ast.parse(file.read_bytes(), str(file))) or ""
    return text.partition("\n")[0]


def command_files(folders: tuple[Path, ...] = ()) -> dict[str, Path]:
    """Return the file of every command by name: the shipped ones, then those of plugin folders."""
    rooms = [SHIPPED, *(folder / "cli" for folder in folders)]
    found: dict[str, Path] = {}
    for file in (file for room in rooms for file in sorted(room.glob("[a-z]*.py"))):
        found.setdefault(file.stem.replace("_", "-"), file)
    return dict(sorted(found.items()))


def import_command(file: Path) -> ModuleType:
    """Import the file of a command."""
    if file.parent == SHIPPED:
        return importlib.import_module(f"cnnpipe.cli.{file.stem}")
    name = f"cnnpipe_plugins.cli.{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(str(file))
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
