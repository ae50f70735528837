"""`resolved.yaml`: every value of a recipe, defaults included, with who set it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any

from cnnpipe import __version__
from cnnpipe.errors import Path
from cnnpipe.recipe.load import LoadedRecipe
from cnnpipe.recipe.provenance import who
from cnnpipe.yaml_builder import scalar

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")


def resolved_yaml(loaded: LoadedRecipe) -> str:
    """Return a recipe that holds every value and loads again to an equal `Recipe`.

    The comment behind a value says who set it: file and line, the number of a `--set`, or the default.
    """
    head = f"# {loaded.file.name} as cnnpipe {__version__} understood it; each comment says who set the value."
    lines = _mapping(loaded.recipe.model_dump(), (), loaded, "")
    return "\n".join([head, *lines]) + "\n"


def resolved_again(loaded: LoadedRecipe, before: str) -> str:
    """Return the resolved form of a recipe that was read from its resolved form, and changed since.

    Args:
        loaded: The recipe.
        before: The resolved form that was read; unchanged lines keep what it says of who set their values.
    """
    old, new = before.splitlines(), resolved_yaml(loaded).splitlines()
    matcher = SequenceMatcher(None, [_value(line) for line in old], [_value(line) for line in new], autojunk=False)
    for i, j, size in matcher.get_matching_blocks():
        new[j : j + size] = old[i : i + size]
    return "\n".join([old[0], *new[1:]]) + "\n"


def _value(line: str) -> str:
    return line.rpartition("  # ")[0] or line


def _mapping(values: dict[str, Any], path: Path, loaded: LoadedRecipe, indent: str) -> Iterator[str]:
    for key, value in values.items():
        here = (*path, key)
        if isinstance(value, dict) and value:
            yield f"{indent}{key}:"
            yield from _mapping(value, here, loaded, indent + "  ")
        elif isinstance(value, (tuple, list)) and any(isinstance(item, dict) for item in value):
            yield f"{indent}{key}:"
            for number, item in enumerate(value):
                yield from _item(item, (*here, number), loaded, indent + "  ")
        else:
            yield f"{indent}{key}: {inline(value)}  # {who(loaded.root, here)}"


def _item(value: Any, path: Path, loaded: LoadedRecipe, indent: str) -> Iterator[str]:
    if not isinstance(value, dict) or not value:
        yield f"{indent}- {inline(value)}  # {who(loaded.root, path)}"
        return
    first, *rest = _mapping(value, path, loaded, indent + "  ")
    yield f"{indent}- {first.lstrip()}"
    yield from rest


def inline(value: Any) -> str:
    """Return a plain value as YAML on one line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        text = repr(value)
        return text if "." in text else text.replace("e", ".0e")
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(inline(item) for item in value)}]"
    if isinstance(value, dict):
        return "{}" if not value else f"{{{', '.join(f'{inline(k)}: {inline(v)}' for k, v in value.items())}}}"
    return _text(value) if isinstance(value, str) else str(value)


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and isinstance(scalar(text), str):
        return text
    if text.isprintable():
        return json.dumps(text, ensure_ascii=False)
    escaped = "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08X}" for c in text)
    return f'"{escaped}"'
