"""Whatever stands in a recipe, the answer is a problem with a place, never a traceback."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import jsonschema
import pytest

from cnnpipe.errors import ProblemError
from cnnpipe.located_yaml import read
from cnnpipe.recipe.json_schema import recipe_schema
from cnnpipe.recipe.load import load_recipe, shipped_recipes


@pytest.fixture(scope="module")
def mutations():
    file = Path(__file__).with_name("recipe_mutations.py")
    spec = importlib.util.spec_from_file_location("recipe_mutations", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_damaged_recipes_give_only_problems(tmp_path, mutations):
    counts = mutations.outcomes(tmp_path, range(200))
    assert sum(counts.values()) == 200
    assert counts["refused"] > 100 and counts["accepted"] > 5


def test_the_json_schema_raises_no_false_alarm(tmp_path, mutations):
    validator = jsonschema.Draft202012Validator(recipe_schema())
    text = shipped_recipes()["digits"].read_text(encoding="utf-8")
    file = tmp_path / "mutant.yaml"
    accepted = 0
    for seed in range(300):
        file.write_bytes(mutations.mutant(text, seed))
        try:
            load_recipe(file)
        except ProblemError:
            continue
        accepted += 1
        assert not list(validator.iter_errors(read(file).data)), seed
    assert accepted > 10
