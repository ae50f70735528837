"""Random damage to recipes, on the text and on the values, repeatable from a seed."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

from cnnpipe.errors import ProblemError
from cnnpipe.located_yaml import parse
from cnnpipe.recipe.compiled import compile_recipe
from cnnpipe.recipe.load import load_recipe, shipped_recipes
from cnnpipe.recipe.resolved import resolved_yaml

VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 2, 7, 10**6, 10**15, 2**63, 0.5, -0.0, 1e-30, 1e300, float("inf"), float("nan"),
    "", "same", "none", "flatten", "adam", "é\u2028\U0001f600", "x" * 300, "1e-3", "*a", "<<", "{", [], [[]], [1, 2, 3],
    [[1, 2], [3, 4]], {}, {"type": None}, {"type": "conv"}, {"type": ["conv"]}, {"name": "stem"}, {"filters": 3},
]  # fmt: skip
KEYS = ["lr", "type", "name", "extends", "blocks", "strides", "padding", "input_type", "groups", "split",
        "early_stopping", "kernel_size"]  # fmt: skip
CHARACTERS = "\t\n \"'#&*!|>%@`{}[],:-?~=\\\x00\x07é\u2028\U0001f600e0.1"


def written(value: Any) -> str:
    """Return a value in flow style."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(str(key))}: {written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(written(item) for item in value) + "]"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, float):
        return repr(value) if value - value == 0 else f".{value}" if value > 0 or value != value else f"-.{-value}"
    return "null" if value is None else str(value).lower()


def containers(value: Any) -> list[Any]:
    """Return all mappings and lists in a value that are not empty."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value] * bool(isinstance(value, (dict, list)) and value) + [c for item in inner for c in containers(item)]


def damaged_value(data: Any, draw: random.Random) -> None:
    """Change one place of the values."""
    found = containers(data)
    if not found:
        return
    container = draw.choice(found)
    key = draw.choice(list(container) if isinstance(container, dict) else range(len(container)))
    kind = draw.randrange(6)
    if kind == 0:
        del container[key]
    elif kind == 1 and isinstance(container, dict):
        letters = list(str(key))
        letters[draw.randrange(len(letters)) if letters else 0 :] = draw.choice(["", "x", "_y", "é"])
        container["".join(letters)] = container.pop(key)
    elif kind == 2:
        container[key] = [copy.deepcopy(container[key])] * draw.choice([1, 2, 40])
    elif kind == 3 and isinstance(container, list):
        container.insert(0, copy.deepcopy(draw.choice(found)))
    elif kind == 4 and isinstance(container, dict):
        container[draw.choice(KEYS)] = copy.deepcopy(draw.choice(VALUES))
    else:
        container[key] = copy.deepcopy(draw.choice(VALUES))


def damaged_text(text: str, draw: random.Random) -> str:
    """Change one place of the text."""
    at = draw.randrange(len(text) + 1)
    to = min(len(text), at + draw.choice([0, 1, 1, 3, 20]))
    return text[:at] + draw.choice(["", draw.choice(CHARACTERS), text[to : to + 20], draw.choice(text)]) + text[to:]


def mutant(text: str, seed: int) -> bytes:
    """Return a damaged recipe."""
    draw = random.Random(seed)
    if seed % 3 == 0:
        for _ in range(draw.choice([1, 1, 2, 5])):
            text = damaged_text(text, draw)
        data = text.encode()
        if draw.random() < 0.1:
            at = draw.randrange(len(data) + 1)
            data = data[:at] + bytes([draw.randrange(256)]) + data[at:]
        return data
    data = parse(text, "shipped").data
    for _ in range(draw.choice([1, 1, 2, 4])):
        damaged_value(data, draw)
    return (written(data) + "\n").encode()


def outcomes(folder: Path, seeds: range) -> dict[str, int]:
    """Load and compile damaged copies of all shipped recipes, in turn, and count what came of them.

    Anything but `ProblemError` gets out, with the seed and the file that made it.
    """
    recipes = [file.read_text(encoding="utf-8") for file in shipped_recipes().values()]
    counts = {"accepted": 0, "refused": 0}
    for seed in seeds:
        file = folder / "mutant.yaml"
        file.write_bytes(mutant(recipes[seed % len(recipes)], seed))
        try:
            loaded = load_recipe(file)
            compile_recipe(loaded)
            resolved = folder / "resolved.yaml"
            resolved.write_text(resolved_yaml(loaded), encoding="utf-8")
            assert load_recipe(resolved).recipe == loaded.recipe
            counts["accepted"] += 1
        except ProblemError as error:
            assert error.problems and all(str(problem) for problem in error.problems)
            counts["refused"] += 1
        except Exception as error:
            raise AssertionError(f"seed {seed}: {file.read_bytes()[:2000]!r}") from error
    return counts
