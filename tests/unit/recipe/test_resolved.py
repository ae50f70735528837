"""resolved.yaml: every value, who set it, and the same recipe when it is loaded again."""

from __future__ import annotations

import re

import pytest

from cnnpipe.recipe.load import load_recipe, shipped_recipes
from cnnpipe.recipe.resolved import resolved_yaml


@pytest.mark.parametrize("name", sorted(shipped_recipes()))
def test_a_resolved_recipe_loads_to_an_equal_one(name, tmp_path):
    loaded = load_recipe(name, ["seed=3"])
    file = tmp_path / "resolved.yaml"
    file.write_text(resolved_yaml(loaded), encoding="utf-8")
    again = load_recipe(file)
    assert again.recipe == loaded.recipe
    assert "default" not in again.provenance.values(), "every value stands in it"
    assert set(again.provenance) == set(loaded.provenance)


def test_comments_say_who_set_each_value():
    loaded = load_recipe("digits", ["training.epochs=2", "training.optimizer.epsilon=1e-05"])
    lines = resolved_yaml(loaded).splitlines()
    assert "  epochs: 2  # --set 1" in lines
    assert "    epsilon: 1.0e-05  # --set 2" in lines
    assert "  restore: best  # default" in lines
    line = loaded.place_of(("training", "batch_size")).line
    assert f"  batch_size: 64  # digits.yaml:{line}" in lines
    for text in lines[1:]:
        assert text.endswith(":") or re.search(r"  # (default|--set \d+|digits\.yaml:\d+)$", text), text


@pytest.mark.parametrize(
    "text", ["1e-3", "true", "", " x", "a: b", "#", "é", "it's", 'say "so"', "a\\b", "null", "\U0001f600", "a\u2028b"]
)
def test_text_of_any_kind_survives(text, tmp_path):
    loaded = load_recipe("digits")
    group = loaded.recipe.data.split.model_copy(update={"group_by": text})
    data = loaded.recipe.data.model_copy(update={"split": group})
    changed = loaded.__class__(**{**vars(loaded), "recipe": loaded.recipe.model_copy(update={"data": data})})
    file = tmp_path / "resolved.yaml"
    file.write_text(resolved_yaml(changed), encoding="utf-8")
    assert load_recipe(file).recipe.data.split.group_by == text
