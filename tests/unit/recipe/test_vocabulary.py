"""Suggestions name only what is legal, and reach the words of other tools."""

from __future__ import annotations

from typing import Any

import pytest

from cnnpipe.recipe import vocabulary
from cnnpipe.recipe.json_schema import recipe_schema


def words(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(words, schema)) if schema else set()
    if not isinstance(schema, dict):
        return set()
    own = {value for value in schema.get("enum", []) if isinstance(value, str)}
    return own.union(*map(words, schema.values())) if schema else own


def test_all_our_words_are_words_of_the_recipe_language():
    definitions = recipe_schema()["$defs"]
    keys = {key for schema in definitions.values() for key in schema.get("properties", {})}
    assert set(vocabulary.KEYS) <= keys
    assert set(vocabulary.VALUES) <= words(definitions)


@pytest.mark.parametrize(
    ("word", "known", "ours"),
    [
        ("lr", ["learning_rate", "momentum"], "learning_rate"),
        ("lr", ["epochs", "batch_size"], None),
        ("kernel", ["filters", "kernel_size"], "kernel_size"),
        ("kernel", ["pool_size", "strides"], "pool_size"),
        ("imgSize", ["image_size", "color_mode"], "image_size"),
        ("Batch-Size", ["batch_size"], "batch_size"),
        ("batchs_ize", ["batch_size"], "batch_size"),
        ("zzz", ["batch_size"], None),
    ],
)
def test_suggestions(word, known, ours):
    assert vocabulary.suggestion(word, known, vocabulary.KEYS) == ours
