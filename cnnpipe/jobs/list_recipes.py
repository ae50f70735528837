"""List the shipped recipes with what each says of itself, without checking them whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cnnpipe.extends import read_chain
from cnnpipe.recipe.load import shipped_recipes


def list_recipes() -> dict[str, dict[str, Any]]:
    """Return task, summary, source and year of every shipped recipe, and of those in plugin folders, by name.

    The summary is the recipe's own, not that of one that it extends; without one it is the first line of its first
    comment. What a recipe does not say is None.

    Raises:
        ProblemError: A file cannot be read.
    """
    return {name: _said(file) for name, file in sorted(shipped_recipes().items())}


def _said(file: Path) -> dict[str, Any]:
    chain = read_chain(file, str(file))
    task = chain.root.find(("task", "type")) or chain.root.find(("task",))
    about = {key: chain.root.find(("about", key)) for key in ("source", "year")}
    summary = chain.document.root.find(("about", "summary"))
    return {
        "task": task.plain() if task else None,
        "summary": summary.plain() if summary else _first_comment(chain.document.lines),
        **{key: node.plain() if node else None for key, node in about.items()},
    }


def _first_comment(lines: tuple[str, ...]) -> str | None:
    line = lines[0].strip() if lines else ""
    return line.lstrip("# ") or None if line.startswith("#") else None
