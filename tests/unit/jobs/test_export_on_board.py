"""A board that options name, in the place of a target."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnpipe.errors import ProblemError
from cnnpipe.evaluation import Drop
from cnnpipe.jobs.export_item import load_with_item, on_board
from cnnpipe.jobs.results import ExportResult
from cnnpipe.recipe.exports import planned_exports
from cnnpipe.recipe.load import load_recipe, shipped_recipes
from cnnpipe.task import Score


def test_a_board_brings_its_target():
    device = {"type": "cortex_m", "board": "nicla_vision"}
    assert on_board({"board": "nicla_vision", "max_drop": 0.1}) == {"target": device, "max_drop": 0.1}
    assert on_board({"target": "android"}) == {"target": "android"}


def test_a_board_and_a_target_that_do_not_belong_together():
    with pytest.raises(ProblemError, match="the board 'nicla_vision' is one of the target 'cortex_m'") as caught:
        load_with_item(shipped_recipes()["digits"], {"target": "esp32", "board": "nicla_vision"})
    assert all(problem.place is None for problem in caught.value.problems)


def test_an_unknown_board_is_told_with_the_one_that_was_meant():
    with pytest.raises(ProblemError, match=r"no board 'pico'.*'raspberry_pi_pico'"):
        on_board({"board": "pico"})
    with pytest.raises(ProblemError, match="cnnpipe list boards"):
        on_board({"board": "zzzz"})


def test_the_item_is_the_only_export():
    loaded = load_with_item(shipped_recipes()["digits"], {"board": "esp32_devkitc", "quantization": "int8"})
    (export,) = planned_exports(loaded.recipe)
    assert export.name == "esp32-esp32_devkitc-int8"


@pytest.mark.parametrize(
    ("folder", "target", "quantization", "label"),
    [
        ("generic-int8", "generic", "int8", "generic int8"),
        ("cortex_m-nicla_vision-int8.rejected", "cortex_m", "int8", "cortex_m-nicla_vision int8"),
        ("jetson-none-onnx", "jetson", "none", "jetson-onnx none"),
    ],
)
def test_tables_tell_boards_and_formats_apart(folder, target, quantization, label):
    file = Path("runs/digits/0001/exports") / folder / "model.tflite"
    assert ExportResult(file, target, quantization, 1, Score(0.5, 10), Drop(0.0, 0, 0, 0, 10), True).label == label


def test_two_formats_of_a_target_are_two_files():
    exports = 'export=[{"target": "jetson"}, {"target": "jetson", "format": "onnx"}]'
    planned = planned_exports(load_recipe(shipped_recipes()["digits"], [exports]).recipe)
    assert [export.name for export in planned] == ["jetson-none", "jetson-none-onnx"]
    with pytest.raises(ProblemError, match="one file would overwrite the other"):
        load_recipe(shipped_recipes()["digits"], ['export=[{"target": "jetson"}, {"target": "jetson"}]'])


def test_what_does_not_fit_the_recipe_stands_at_its_line():
    with pytest.raises(ProblemError, match="the client library of 'android'") as caught:
        load_with_item(shipped_recipes()["hymenoptera_from_scratch"], {"target": "android"})
    (problem,) = (problem for problem in caught.value.problems if problem.severity == "error")
    assert problem.path == "data.preprocessing.resize"
    assert problem.place is not None and problem.place.line > 1
