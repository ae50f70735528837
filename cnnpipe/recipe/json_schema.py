"""The JSON Schema of recipes, over all rooms and plugins: for editors, and for checking without this package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cnnpipe.recipe.schema import Recipe
from cnnpipe.registry import Room, room, rooms
from cnnpipe.spec import Spec

_PARTIAL = "partial."


def recipe_schema() -> dict[str, Any]:
    """Return a JSON Schema (draft 2020-12) that accepts what the loader's schema accepts.

    A recipe that says `extends` needs no key: those that it lacks may stand in the other file.
    """
    whole, definitions = _flat(Recipe, "recipe")
    for here in rooms():
        definitions |= _room(here)
    definitions |= _narrower_choices(definitions | {"recipe": whole})
    whole["properties"]["extends"] = {"type": "string", "description": "Another recipe, which this one changes."}
    definitions["recipe"] = {key: value for key, value in whole.items() if key != "title"}
    definitions |= {_PARTIAL + name: _partial(schema) for name, schema in definitions.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "cnnpipe recipe",
        "if": {"type": "object", "required": ["extends"]},
        "then": {"$ref": f"#/$defs/{_PARTIAL}recipe"},
        "else": {"$ref": "#/$defs/recipe"},
        "$defs": definitions,
    }


def _flat(spec: type[Spec], name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the schema of a spec, and those of the specs inside it under names that begin with `name`."""
    schema = _with_references(spec.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}"))
    inner = schema.pop("$defs", {})
    return schema, {f"{name}.{model}": value for model, value in inner.items()}


def _with_references(schema: Any) -> Any:
    """Return a schema in which every mark of a component field is a reference to its room.

    What may be null besides is one schema of two types, not a choice of two: a message is then at its own place.
    """
    if isinstance(schema, list):
        return [_with_references(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: _with_references(value) for key, value in schema.items() if key != "x-component"}
    first, *others = result.get("anyOf") or [{}]
    if others == [{"type": "null"}] and isinstance(first.get("type"), str) and "enum" not in first:
        result = {key: value for key, value in result.items() if key != "anyOf"} | first
        result["type"] = [first["type"], "null"]
    return result | {"$ref": f"#/$defs/{schema['x-component']}"} if "x-component" in schema else result


def _room(here: Room) -> dict[str, Any]:
    definitions: dict[str, Any] = {}
    bare: list[str] = []
    for name in here.names():
        schema, inner = _flat(here.load(name), f"{here.name}.type.{name}")
        required = [key for key in schema.get("required", []) if key != "type"]
        definitions |= {f"{here.name}.type.{name}": {**schema, "required": required}, **inner}
        if not required:
            bare.append(name)
    definitions[here.name] = _choice(here, here.names(), bare, None)
    return definitions


def _narrower_choices(definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schemas of fields that take only one kind of a room, or have a default type: `heads.Kind:default`."""
    used = {name for name in _references(definitions) if name not in definitions}
    found = {}
    for name in sorted(used):
        choice, _, default = name.partition(":")
        here, kind = room(choice.partition(".")[0]), choice.partition(".")[2]
        names = here.names(here.kinds[kind] if kind else None)
        bare = [known for known in definitions[here.name]["then"]["enum"] if known in names]
        found[name] = _choice(here, names, bare, default or None)
    return found


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict) and "$ref" in schema:
        yield schema["$ref"].removeprefix("#/$defs/")
    for value in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _references(value)


def _choice(here: Room, names: list[str], bare: list[str], default: str | None) -> dict[str, Any]:
    """Return the schema of a field that holds one component: one condition for each type, so that messages are few."""
    conditions = [
        {"if": {"properties": {"type": {"const": name}}, "required": [] if name == default else ["type"]},
         "then": {"$ref": f"#/$defs/{here.name}.type.{name}"}}
        for name in names
    ]  # fmt: skip
    return {
        "if": {"type": "string"},
        "then": {"enum": bare},
        "else": {
            "type": "object",
            "properties": {"type": {"enum": names}},
            "required": [] if default else ["type"],
            "allOf": conditions,
        },
    }


def _partial(schema: Any) -> Any:
    """Return a schema that accepts any part of what `schema` accepts; items of lists must stay whole."""
    if isinstance(schema, list):
        return [_partial(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    result: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("if", "items", "prefixItems", "default", "examples", "enum"):
            result[key] = value
        elif key == "$ref":
            result[key] = value.replace("#/$defs/", f"#/$defs/{_PARTIAL}")
        elif key != "required" or not isinstance(value, list):
            result[key] = _partial(value)
    return result
