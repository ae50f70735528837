"""Every type and its fields, against a file: renaming one is a visible change.

`python -m pytest tests/architecture/test_registry.py --rewrite-registry` writes the file anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cnnpipe.recipe.json_schema import recipe_schema
from cnnpipe.registry import rooms
from cnnpipe.spec import field_descriptions

GOLDEN = Path(__file__).with_name("registry.json")


def fields(schema: Any) -> Any:
    """Return a JSON Schema without its prose."""
    if isinstance(schema, dict):
        return {key: fields(value) for key, value in schema.items() if key not in ("title", "description")}
    return [fields(value) for value in schema] if isinstance(schema, list) else schema


def registry() -> dict[str, Any]:
    """Return what the recipe language is: the fields of every section and type."""
    definitions = recipe_schema()["$defs"]
    return {
        name: {key: fields(value) for key, value in schema["properties"].items()}
        for name, schema in sorted(definitions.items())
        if not name.startswith("partial.") and "properties" in schema
    }


def written(registry: dict[str, Any]) -> str:
    """Return JSON with one line for each field."""
    types = []
    for name, found in registry.items():
        lines = (f" {json.dumps(key)}: {json.dumps(value)}" for key, value in found.items())
        types.append(f"{json.dumps(name)}: {{\n" + ",\n".join(lines) + "\n}")
    return "{\n" + ",\n".join(types) + "\n}\n"


def test_the_registry_is_as_it_was(request: pytest.FixtureRequest) -> None:
    text = written(registry())
    if request.config.getoption("--rewrite-registry"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert json.loads(text) == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_every_field_says_what_it_is() -> None:
    for room in rooms():
        for name in room.names():
            spec = room.load(name)
            silent = set(spec.model_fields) - {"type"} - set(field_descriptions(spec))
            assert not silent, f"{room.name}/{name}"
