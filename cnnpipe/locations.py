"""Where the top-level folders `pipelines/` and `recipes/` lie, in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

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
