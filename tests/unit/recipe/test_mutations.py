"""Whatever stands in a recipe, the answer is a problem with a place, never a traceback."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def test_damaged_recipes_give_only_problems(tmp_path):
    file = Path(__file__).with_name("recipe_mutations.py")
    spec = importlib.util.spec_from_file_location("recipe_mutations", file)
    mutations = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(mutations)
    counts = mutations.outcomes(tmp_path, range(200))
    assert sum(counts.values()) == 200
    assert counts["refused"] > 100 and counts["accepted"] > 5
