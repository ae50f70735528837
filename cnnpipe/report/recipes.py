"""The table of recipes, with a line of what each is, wrapped to the width of the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from itertools import groupby
from typing import Any

LEAST_TEXT = 30
"""Columns that are left for the text however narrow the terminal is."""


def recipe_table(recipes: Mapping[str, Mapping[str, Any]], width: int | None) -> str:
    """Return one entry for each recipe, below the name of its task: name, year, what it is, and from where.

    Args:
        recipes: What `list_recipes` returns.
        width: Columns of the terminal; None for one line for each recipe, however long.
    """
    name_width = max(map(len, recipes), default=0)
    ordered = sorted(recipes.items(), key=lambda item: str(item[1]["task"]))
    parts = []
    for task, group in groupby(ordered, key=lambda item: item[1]["task"]):
        lines = [line for name, said in group for line in _entry(name, said, name_width, width)]
        parts.append("\n".join([f"{task or 'no task'}", *lines]))
    return "\n\n".join(parts)


def _entry(name: str, said: Mapping[str, Any], name_width: int, width: int | None) -> list[str]:
    start = f"  {name:<{name_width}}  {said['year'] or '':>4}  "
    text = (said["summary"] or "") + (f" ({said['source']})" if said["source"] else "")
    room = None if width is None else max(width - len(start), LEAST_TEXT)
    lines = [text] if room is None else textwrap.wrap(text, room) or [""]
    return [f"{start}{lines[0]}".rstrip(), *(" " * len(start) + line for line in lines[1:])]
