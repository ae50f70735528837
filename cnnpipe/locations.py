"""Where shipped folders lie, in a checkout and in an installed wheel, and how a plugin's file is imported."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from cnnpipe.errors import Problem, ProblemError

PACKAGE = Path(__file__).resolve().parent


def checkout_folder(name: str) -> Path | None:
    """Return the top-level folder `name` of the checkout that this package was imported from, or None in a wheel.

    The guard is the project's own `pyproject.toml` beside the folder, so that a foreign `recipes/` is never taken.
    """
    folder, project = PACKAGE.parent / name, PACKAGE.parent / "pyproject.toml"
    if folder.is_dir() and project.is_file() and 'name = "cnnpipe"' in project.read_text(encoding="utf-8"):
        return folder
    return None


def shipped_folder(name: str) -> Path:
    """Return the folder that holds the shipped `pipelines` or `recipes`."""
    return checkout_folder(name) or PACKAGE / name


def shipped_recipe(name: str) -> Path:
    """Return the file of a shipped recipe."""
    return next(shipped_folder("recipes").rglob(f"{name}.yaml"))


def import_plugin(room: str, file: Path) -> ModuleType:
    """Import a file of a plugin folder, which is on no import path, as `cnnpipe_plugins.ROOM.FILE`.

    Raises:
        ProblemError: It cannot be imported.
    """
    name = f"cnnpipe_plugins.{room}.{file.stem}"
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
