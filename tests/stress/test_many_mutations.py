"""10,000 damaged recipes: `pytest tests/stress/test_many_mutations.py -s` (some three minutes)."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def test_ten_thousand_damaged_recipes_give_only_problems(tmp_path):
    file = Path(__file__).parents[1] / "unit" / "recipe" / "recipe_mutations.py"
    spec = importlib.util.spec_from_file_location("recipe_mutations", file)
    mutations = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(mutations)
    counts = mutations.outcomes(tmp_path, range(200, 10_200))
    print(counts)
    assert sum(counts.values()) == 10_000
