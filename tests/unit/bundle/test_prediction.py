"""What the converter does otherwise than predicted is told in a sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cnnpipe.bundle.prediction import unpredicted
from cnnpipe.recipe.compiled import compile_recipe
from cnnpipe.recipe.exports import planned_exports
from cnnpipe.recipe.load import load_recipe

RECIPE = """
task: {{type: image_classification, classes: 10}}
data: {{source: digits, preprocessing: {{image_size: [16, 16], color_mode: grayscale}}}}
model: {{blocks: [{{type: conv, filters: 8}}, max_pooling, flatten]}}
training: {{epochs: 1}}
export: [{{target: generic, quantization: {quantization}}}]
"""
OPERATORS = ("CONV_2D", "MAX_POOL_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX")


@pytest.fixture
def planned(tmp_path):
    def plan(quantization):
        file = tmp_path / "r.yaml"
        file.write_text(RECIPE.format(quantization=quantization))
        loaded = load_recipe(file)
        (export,) = planned_exports(loaded.recipe)
        return export, loaded.recipe.task.deployed(compile_recipe(loaded).graphs)

    return plan


def test_what_was_predicted_needs_no_words(planned):
    assert unpredicted(*planned("int8"), OPERATORS) == ()
    assert unpredicted(*planned("none"), OPERATORS) == ()


def test_the_first_difference_is_told_with_its_layer(planned):
    changed = ("CONV_2D", "RELU", *OPERATORS[1:])
    assert unpredicted(*planned("int8"), changed) == (
        "predicted MAX_POOL_2D (layer n004_max_pooling), the converter made RELU at operator 1: "
        "memory and size may differ",
    )
    (note,) = unpredicted(*planned("int8"), (*OPERATORS, "DEQUANTIZE"))
    assert note.startswith("predicted nothing more, the converter made DEQUANTIZE at operator 5")
    (note,) = unpredicted(*planned("int8"), OPERATORS[:-1])
    assert note.startswith("predicted SOFTMAX (layer n007_activation), the converter made nothing more at operator 4")


def test_nothing_is_said_of_what_is_not_predicted(planned):
    assert unpredicted(*planned("float16"), ("CONV_2D",)) == ()
    export, graph = planned("int8")
    assert unpredicted(replace(export, kept_float=("n001_convolution",)), graph, ("CONV_2D",)) == ()
