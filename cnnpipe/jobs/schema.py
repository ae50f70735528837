"""The JSON Schema of recipes, plugins included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cnnpipe import files
from cnnpipe.recipe.json_schema import recipe_schema


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a recipe, with every component of every room."""
    return recipe_schema()


def write_schema(file: Path) -> str:
    """Write the schema, and return the line that makes an editor check a recipe beside it.

    Raises:
        ProblemError: The file cannot be written.
    """
    files.write_text(file, json.dumps(schema(), indent=2) + "\n")
    return f"# yaml-language-server: $schema={file.name}"
