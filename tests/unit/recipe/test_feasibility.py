"""Exports are judged by their predicted programs, before anything is trained."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cnnpipe.errors import ProblemError
from cnnpipe.graph.lowering import NotPredicted
from cnnpipe.program import Operator, Program, Tensor, plan_arena
from cnnpipe.recipe.compiled import compile_recipe
from cnnpipe.recipe.exports import planned_exports
from cnnpipe.recipe.feasibility import Forecast, approve, forecast, judge, problems_of
from cnnpipe.recipe.limits import measured_excess, predicted_excess
from cnnpipe.recipe.load import load_recipe

RECIPE = """
task: {{type: image_classification, classes: 10}}
data: {{source: digits, preprocessing: {{image_size: [16, 16], color_mode: grayscale}}}}
model:
  blocks:
    - {{type: conv, filters: 8, name: stem, activation: {activation}}}
    - {{type: conv, filters: 16, strides: 2}}
    - flatten
training: {{epochs: 1}}
export:
  - {export}
"""
NANO = "{type: cortex_m, board: arduino_nano_33_ble}"


@pytest.fixture
def load(tmp_path):
    def loaded(export, activation="relu"):
        file = tmp_path / "r.yaml"
        file.write_text(RECIPE.format(export=export, activation=activation))
        recipe = load_recipe(file)
        return recipe, compile_recipe(recipe)

    return loaded


def made(load, export):
    recipe, compiled = load(export)
    (planned,) = planned_exports(recipe.recipe)
    return forecast(planned, recipe.recipe.task.deployed(compiled.graphs))


def test_what_fits_is_told_with_what_it_takes(load):
    found = judge(*load(f"{{target: {NANO}, quantization: int8}}"))
    assert found.problems == ()
    (note,) = found.notes
    assert note.startswith("cortex_m-arduino_nano_33_ble-int8: arena ")
    assert " of 262,144 bytes, file about " in note and " ms for an example (predicted)" in note
    (note,) = judge(*load(f"{{target: {NANO}, quantization: int8, max_arena: 9000, max_bytes: 20000}}")).notes
    assert " of 9,000 bytes, file about " in note and " of 20,000 bytes," in note


def test_nothing_is_told_of_a_target_without_limits(load):
    assert judge(*load("{target: generic, quantization: int8}")).notes == ()
    assert judge(*load("{target: generic, quantization: float16}")).notes == ()


def test_what_nobody_has_verified_is_not_judged_but_said(load):
    found = judge(*load("{target: {type: cortex_m, board: nicla_vision}, quantization: int16x8}"))
    assert found.problems == ()
    (note,) = found.notes
    assert note.startswith("cortex_m-nicla_vision-int16x8: operators and memory are not predicted: ")


def test_the_block_that_sets_the_peak_is_named_with_its_line(load):
    (problem,) = judge(*load(f"{{target: {NANO}, quantization: int8, max_arena: 4096}}")).problems
    assert (problem.path, problem.place.line) == ("model.blocks.1", 7)
    assert "and max_arena allows 4,096" in problem.message and "CONV_2D" in problem.message
    with pytest.raises(ProblemError):
        approve(*load(f"{{target: {NANO}, quantization: int8, max_arena: 4096}}"))


def test_an_operator_that_the_runtime_lacks_stands_at_its_block(load):
    (problem,) = judge(*load(f"{{target: {NANO}, quantization: int8}}", "gelu")).problems
    assert (problem.path, problem.severity) == ("model.blocks.0", "error")
    assert "LiteRT Micro has no operator GELU" in problem.message and "relu" in problem.hint


@pytest.mark.parametrize(("target", "severity"), [("generic", "warning"), ("coral", "error")])
def test_an_island_of_float_is_an_error_where_only_integers_compute(load, target, severity):
    found = judge(*load(f"{{target: {target}, quantization: int8}}", "elu")).problems
    (island,) = (problem for problem in found if "float32, between conversions" in problem.message)
    assert (island.severity, island.path) == (severity, "model.blocks.0")


def test_warnings_do_not_stop(load):
    assert approve(*load("{target: generic, quantization: int8}", "elu")).problems


def test_a_gray_network_of_a_phone_is_predicted_as_the_file_that_takes_colour(load):
    program = made(load, "{target: android, quantization: int8}").program
    assert program.tensors[program.inputs[0]].shape == (1, 16, 16, 3)
    assert program.tensors[program.inputs[0]].dtype == "uint8"


def test_a_problem_without_a_block_stands_at_its_export(load):
    forecast_ = made(load, f"{{target: {NANO}, quantization: int8, max_bytes: 10}}")
    nowhere = tuple(replace(operator, layer="unheard_of") for operator in forecast_.program.operators)
    lost = Forecast(forecast_.export, forecast_.graph, replace(forecast_.program, operators=nowhere))
    paths = {problem.path for problem in problems_of(lost, lambda path: None)}
    assert paths == {"export.0.max_bytes"}


def test_the_prediction_has_a_margin(load):
    export = made(load, f"{{target: {NANO}, quantization: int8, max_arena: 10000}}").export
    tensors = (Tensor("in", (1, 9_000), "int8"), Tensor("out", (1, 100), "int8"))
    program = Program(tensors, (Operator("RELU", (0,), (1,)),), (0,), (1,))
    arena = plan_arena(program)
    for allowed, severities in (
        (arena.total, []),
        (arena.total - 1, ["warning"]),
        (arena.total * 97 // 100, ["error"]),
    ):
        found = predicted_excess(replace(export, max_arena=allowed), program, arena, 100)
        assert [problem.severity for problem, _ in found] == severities


def test_only_stored_bytes_are_sure_to_be_too_many(load):
    forecast_ = made(load, "{target: generic, quantization: int8}")
    stored, about = forecast_.program.constant_bytes, forecast_.file_bytes
    for allowed, severities in ((about, []), (about - 1, ["warning"]), (stored - 1, ["error"])):
        export = replace(forecast_.export, max_bytes=allowed)
        found = predicted_excess(export, forecast_.program, forecast_.arena, about)
        assert [problem.severity for problem, _ in found] == severities


def test_a_written_file_is_held_to_the_recipe_and_to_the_board(load):
    export = made(load, f"{{target: {NANO}, quantization: int8, max_arena: 5000, max_bytes: 20000}}").export
    assert list(measured_excess(export, 5000, 20_000)) == []
    assert list(measured_excess(export, None, 20_000)) == []
    assert [p.path for p in measured_excess(export, 5001, 20_000)] == ["export.0.max_arena"]
    assert [p.path for p in measured_excess(export, 5000, 20_001)] == ["export.0.max_bytes"]
    board = [p.path for p in measured_excess(export, 300_000, 2_000_000)]
    assert board == ["export.0.target", "export.0.max_bytes", "export.0.target", "export.0.max_arena"]


def test_another_format_is_not_predicted(load):
    export = made(load, "{target: generic, quantization: int8}").export
    exporter = type("Other", (), {"file_name": "model.onnx", "type": "other"})()
    with pytest.raises(NotPredicted, match="the format other"):
        forecast(replace(export, exporter=exporter), made(load, "{target: generic, quantization: int8}").graph)


@pytest.mark.parametrize(
    ("quantization", "hint"),
    [("none", "Use fewer weights, or quantization int8."), ("int8", "Use fewer weights.")],
)
def test_a_smaller_quantization_is_only_recommended_where_there_is_one(load, quantization, hint):
    (problem,) = judge(*load(f"{{target: generic, quantization: {quantization}, max_bytes: 100}}")).problems
    assert problem.hint == hint
