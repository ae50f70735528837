"""Two recipes compared: every value that differs, once, where it stands."""

from __future__ import annotations

import pytest

from cnnpipe.recipe.difference import NOT_SET, differences
from cnnpipe.recipe.load import load_recipe

TEXT = """\
task: {type: image_classification, classes: [cat, dog]}
data:
  source: {type: image_folder, path: photos}
  preprocessing: {image_size: [16, 16]}
model:
  blocks:
    - {type: conv_relu_pool, filters: 4, name: stem}
    - {type: conv, filters: 8}
    - {type: conv, filters: 16}
    - flatten
training: {epochs: 2}
"""


@pytest.fixture
def compare(tmp_path):
    """Return a function that compares the recipe above with a changed one, as (path, old, new)."""

    def compared(*settings: str, replaced: tuple[str, str] = ("", "")) -> list[tuple[str, object, object]]:
        (tmp_path / "old.yaml").write_text(TEXT, encoding="utf-8")
        (tmp_path / "new.yaml").write_text(TEXT.replace(*replaced) if replaced[0] else TEXT, encoding="utf-8")
        old = load_recipe(tmp_path / "old.yaml", ["name=same"]).recipe
        new = load_recipe(tmp_path / "new.yaml", ["name=same", *settings]).recipe
        return [(d.path, d.old, d.new) for d in differences(old, new)]

    return compared


def test_equal_recipes_do_not_differ(compare):
    assert compare() == []


def test_values_are_found_at_any_depth(compare):
    found = compare("training.epochs=3", "training.optimizer.learning_rate=0.01", "model.blocks.stem.filters=6")
    assert ("training.epochs", 2, 3) in found
    assert ("training.optimizer.learning_rate", 0.001, 0.01) in found
    assert ("model.blocks.stem.filters", 4, 6) in found, "named items go by name"
    assert len(found) == 3


def test_keys_of_another_type_are_not_set_in_the_one(compare):
    found = {path: (old, new) for path, old, new in compare("training.optimizer={type: sgd, momentum: 0.9}")}
    assert found["training.optimizer.type"] == ("adam", "sgd")
    assert found["training.optimizer.momentum"] == (NOT_SET, 0.9)
    assert found["training.optimizer.beta_1"] == (0.9, NOT_SET)


def test_an_inserted_item_is_one_difference(compare):
    inserted = "    - {type: conv, filters: 8}\n    - {type: dropout, rate: 0.5}\n"
    ((path, old, new),) = compare(replaced=("    - {type: conv, filters: 8}\n", inserted))
    assert (path, old) == ("model.blocks.2", NOT_SET)
    assert isinstance(new, dict) and (new["type"], new["rate"]) == ("dropout", 0.5)


def test_an_item_that_was_taken_out_is_one_difference(compare):
    ((path, old, new),) = compare(replaced=("    - {type: conv, filters: 8}\n", ""))
    assert (path, new) == ("model.blocks.1", NOT_SET)
    assert isinstance(old, dict) and old["filters"] == 8


def test_an_item_of_another_type_is_one_difference(compare):
    ((path, old, new),) = compare("model.blocks.2={type: max_pooling}")
    assert (path, old["type"], new["type"]) == ("model.blocks.2", "conv", "max_pooling")


def test_another_order_is_a_difference(compare):
    first, second = "    - {type: conv, filters: 8}\n", "    - {type: conv, filters: 16}\n"
    assert compare(replaced=(first + second, second + first))


def test_an_item_with_a_key_changed_is_not_the_whole_item(compare):
    text = "    - {type: conv, filters: 8}\n    - {type: conv, filters: 16}\n"
    changed = "    - {type: dropout, rate: 0.5}\n    - {type: conv, filters: 12}\n    - {type: conv, filters: 16}\n"
    found = compare(replaced=(text, changed))
    assert ("model.blocks.2.filters", 8, 12) in found
    assert [path for path, _, _ in found] == ["model.blocks.1", "model.blocks.2.filters"]


def test_both_places_of_a_moved_item_are_told(tmp_path):
    moved = "    - {type: dropout, rate: 0.1}\n    - {type: conv, filters: 9}\n"
    (tmp_path / "old.yaml").write_text(TEXT, encoding="utf-8")
    (tmp_path / "new.yaml").write_text(TEXT.replace("    - {type: conv, filters: 8}\n", moved), encoding="utf-8")
    found = differences(load_recipe(tmp_path / "old.yaml").recipe, load_recipe(tmp_path / "new.yaml").recipe)
    (filters,) = [d for d in found if d.path.endswith("filters")]
    assert filters.old_path == ("model", "blocks", 1, "filters")
    assert filters.new_path == ("model", "blocks", 2, "filters")
    assert str(filters) == "model.blocks.2.filters: 8 → 9"
