"""The JSON Schema accepts what the loader accepts, and refuses every misspelling of the golden recipes."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from cnnpipe.located_yaml import read
from cnnpipe.recipe.json_schema import recipe_schema
from cnnpipe.recipe.load import shipped_recipes
from cnnpipe.recipe.schema import Recipe
from cnnpipe.registry import rooms
from cnnpipe.spec import field_descriptions

MISSPELT = sorted((Path(__file__).parents[2] / "errors").glob("misspelt_*.yaml"))
ERRORS = MISSPELT[0].parent


@pytest.fixture(scope="module")
def validator():
    schema = recipe_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("file", shipped_recipes().values(), ids=lambda file: file.stem)
def test_every_shipped_recipe_validates(file, validator):
    validator.validate(read(file).data)


@pytest.mark.parametrize("file", MISSPELT, ids=lambda file: file.stem)
def test_every_golden_misspelling_is_refused(file, validator):
    assert list(validator.iter_errors(read(file).data))


def test_there_are_misspellings():
    assert len(MISSPELT) >= 15


@pytest.mark.parametrize(
    "name",
    ["missing_keys", "missing_sections", "missing_type", "missing_key_of_bare_name", "missing_blocks", "range_numbers",
     "type_text_for_number", "type_image_size", "type_image_size_three", "type_nothing", "type_number_for_block",
     "foreign_color_mode", "choice_padding", "extends_bad_parent"],
)  # fmt: skip
def test_other_mistakes_within_a_section_are_refused(name, validator):
    assert list(validator.iter_errors(read(ERRORS / f"{name}.yaml").data))


def test_a_recipe_that_extends_may_leave_out_keys_but_not_misspell_them(validator):
    part = {"extends": "base.yaml", "training": {"batch_size": 3, "optimizer": {"learning_rate": 0.1}}}
    validator.validate(part)
    part["training"]["optimizer"] = {"type": "adam", "lr": 0.1}
    assert list(validator.iter_errors(part))
    assert list(validator.iter_errors({"extends": "base.yaml", "trainig": {}}))
    assert list(validator.iter_errors({"extends": "base.yaml", "model": {"blocks": [{"type": "conv"}]}})), (
        "lists are whole"
    )


def test_a_misspelt_key_gives_one_message_at_its_block(validator):
    data = read(shipped_recipes()["digits"]).data
    data["model"]["blocks"][0]["filtres"] = data["model"]["blocks"][0].pop("filters")
    errors = list(validator.iter_errors(data))
    assert [list(error.absolute_path) for error in errors] == [["model", "blocks", 0]] * 2
    assert "'filtres' was unexpected" in " ".join(error.message for error in errors)


def test_every_component_of_every_room_is_in_it_with_its_words():
    definitions = recipe_schema()["$defs"]
    for room in rooms():
        for name in room.names():
            assert definitions[f"{room.name}.type.{name}"]["properties"]["type"]["const"] == name
    about = field_descriptions(Recipe.model_fields["training"].annotation)
    training = definitions["recipe.Training"]["properties"]
    assert training["epochs"]["description"] == about["epochs"]
    assert about["batch_size"] == "Examples per step."
