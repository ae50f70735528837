"""Limits of the recipe and of the device, held against the written file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cnnpipe.bundle.convert import dry_export
from cnnpipe.bundle.export import export_all
from cnnpipe.errors import ProblemError
from cnnpipe.graph.lowering import NotPredicted
from cnnpipe.manifest import read_manifest
from cnnpipe.recipe.feasibility import forecast

BOARD = {"type": "cortex_m", "board": "arduino_nano_33_ble"}


@pytest.fixture(scope="module")
def written(painted, tmp_path_factory):
    fits = painted.plan(target="ethos_u", quantization="int8", max_arena=2**20, max_bytes=2**20)
    large = painted.plan(target=BOARD, quantization="int8", max_arena=100, max_bytes=100)
    small = painted.plan(target="generic", quantization="int8", max_bytes=100)
    folder: Path = tmp_path_factory.mktemp("limits")
    found = export_all([fits, large, replace(small, name="small")], painted.subject, folder, painted.workers)
    return dict(zip(("fits", "large", "small"), found, strict=True))


def test_a_file_within_its_limits_passes(written):
    assert written["fits"].passed


def test_a_file_over_a_limit_is_rejected_at_the_key_that_states_it(written):
    paths = [problem.path for problem in written["large"].problems]
    assert paths == ["export.0.max_bytes", "export.0.max_arena"]
    assert written["large"].folder.name == "cortex_m-arduino_nano_33_ble-int8.rejected"
    (problem,) = written["small"].problems
    assert "max_bytes allows 100" in problem.message
    assert not (written["small"].folder / "bundle.json").exists()


def test_the_prediction_is_what_was_written(written, painted):
    made = forecast(written["large"].export, painted.subject.graph)
    facts, memory = written["large"].runnable.facts, written["large"].runnable.memory
    assert tuple(operator.name for operator in made.program.operators) == facts.operators
    assert made.arena.head == memory.head
    assert made.arena.total == pytest.approx(memory.arena, rel=0.02)


def test_vela_reports_what_runs_on_the_npu(written):
    pytest.importorskip("ethosu")
    manifest = read_manifest(written["fits"].folder)
    assert manifest.device == {"type": "ethos_u", "accelerator": "ethos-u55-128"}
    (proof,) = (proof for proof in manifest.proofs if proof.runtime == "vela")
    assert proof.state == "passed"
    assert proof.facts["accelerator"] == "ethos-u55-128"
    assert proof.facts["cpu_operators"] == 0 < proof.facts["npu_operators"]
    assert 0 < proof.facts["sram_bytes"] < 2**20 and proof.facts["cycles"] > 0


def test_vela_that_is_not_installed_is_said_and_never_passed(written, monkeypatch):
    from cnnpipe.registry import room

    vela = room("runtimes").load("vela").model_validate({"type": "vela"})
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert vela.missing() == "the package ethos-u-vela is not installed: pip install 'cnnpipe[ethos]'"


def test_the_dry_export_measures_the_arena_of_what_is_not_predicted(painted):
    """No rule tells the operators of int16x8, so that only the file of the untrained network can be held to a limit."""
    large = painted.plan(target=BOARD, quantization="int16x8", max_arena=100)
    with pytest.raises(NotPredicted):
        forecast(large, painted.subject.graph)
    with pytest.raises(ProblemError, match=r"the tensor arena takes .* bytes, and max_arena allows 100") as caught:
        dry_export([large], painted.subject.graph, painted.workers)
    assert [problem.path for problem in caught.value.problems] == ["export.0.max_arena"]


def test_the_file_has_the_order_of_operators_that_was_searched(painted):
    inception = {
        "type": "inception", "filters_1x1": 8, "filters_3x3_reduce": 8, "filters_3x3": 16, "filters_5x5_reduce": 4,
        "filters_5x5": 8, "filters_pool": 8,
    }  # fmt: skip
    facts = painted.subject.facts
    facts = replace(facts, preprocessing=facts.preprocessing.model_copy(update={"image_size": (40, 40)}))
    graph = painted.graph({"type": "conv", "filters": 16, "strides": 2}, inception, inception, facts=facts)
    plan = painted.plan(target=BOARD, quantization="int8")
    tight = replace(plan, max_arena=forecast(plan, graph).arena.total - 1000)
    (made,) = dry_export([tight], graph, painted.workers)  # which refuses a file with the usual order
    assert any("run in an order that saves" in note for note in made.notes)


def test_the_dry_export_notices_a_limit_too(painted):
    small = painted.plan(target="generic", quantization="int8", max_bytes=100)
    with pytest.raises(ProblemError, match="max_bytes allows 100") as caught:
        dry_export([small], painted.subject.graph, painted.workers)
    assert [problem.path for problem in caught.value.problems] == ["export.0.max_bytes"]
