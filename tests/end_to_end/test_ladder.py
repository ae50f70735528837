"""A network that plain int8 ruins, built so: the ladder is climbed, its table is kept, and the test split is read once.

Its convolution's channels differ by a factor of 3,000, and the dense layer after it divides by the same factors: in
float it is the network that it was made of, but one scale for all channels of a tensor leaves nothing of the small.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pytest

from cnnpipe.bundle.attempt import Bench
from cnnpipe.bundle.check import check_bundle
from cnnpipe.bundle.comparison import Comparer
from cnnpipe.bundle.convert import dry_export
from cnnpipe.bundle.export import Exported, export_all
from cnnpipe.bundle.subject import Subject
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.events import Listener
from cnnpipe.exporters import Quantization, TensorType
from cnnpipe.manifest import read_manifest
from cnnpipe.quantization.decide import decider
from cnnpipe.quantization.ladder import Learn, climb
from cnnpipe.quantization.sensitivity import kept_float, sensitivities
from cnnpipe.targets.generic import Generic


class OnlyIntegers(Generic):
    """A device that runs int8 without islands of float, and nothing else."""

    input_types: ClassVar[Mapping[Quantization, TensorType]] = {"int8": "int8"}
    builtins_only: ClassVar[bool] = True
    type: Literal["generic"] = "generic"


class Heard(Listener):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture(scope="module")
def ruined(painted: Any, tmp_path_factory: pytest.TempPathFactory) -> Subject:
    from cnnpipe.build import build_model, load_weights, save_weights, set_weights
    from cnnpipe.evaluation import caller

    weights = {
        name: [np.array(one) for one in arrays] for name, arrays in load_weights(painted.subject.weights).items()
    }
    convolution, dense = list(weights)[:2]
    factors = np.exp(np.linspace(-4, 4, weights[convolution][0].shape[-1])).astype(np.float32)
    weights[convolution] = [array * factors for array in weights[convolution]]
    kernel = weights[dense][0]
    weights[dense][0] = (kernel.reshape(-1, len(factors), kernel.shape[-1]) / factors[:, None]).reshape(kernel.shape)
    file = tmp_path_factory.mktemp("ruined") / "weights.npz"
    save_weights(file, weights)
    network = build_model(painted.subject.graph)
    set_weights(network, weights)
    return replace(painted.subject, weights=file, call=caller(network, painted.subject.signature))


@pytest.fixture(scope="module")
def climbed(painted: Any, ruined: Subject, tmp_path_factory: pytest.TempPathFactory) -> tuple[Exported, list[str]]:
    plan = painted.plan(quantization="ladder", max_drop=0.02, calibration_examples=20)
    heard = Heard()
    (one,) = export_all([plan], ruined, tmp_path_factory.mktemp("exports"), painted.workers, heard, decider())
    return one, heard.notes


def test_the_ladder_is_climbed_to_the_first_rung_that_keeps_the_promise(climbed: tuple[Exported, list[str]]) -> None:
    one, notes = climbed
    assert one.passed
    assert [(rung.rung, rung.state) for rung in one.rungs] == [
        ("int8", "failed"),
        ("int8, more calibration", "failed"),
        ("int8, corrected biases", "failed"),
        ("int8, 1 in float", "failed"),
        ("int8, 2 in float", "chosen"),
    ]
    assert [rung.examples for rung in one.rungs] == [20, 100, 20, 20, 20]
    assert one.rungs[0].drop is not None and one.rungs[0].drop > 0.2
    assert one.rungs[-1].drop is not None and one.rungs[-1].drop <= 0.02
    (cost,) = [note for note in notes if "it costs" in note]
    assert "int8, 2 in float keeps the promise, which int8 breaks" in cost
    assert f"{one.rungs[-1].bytes - one.rungs[0].bytes:+,} bytes" in cost  # type: ignore[operator]


def test_its_bundle_says_what_was_tried_and_what_is_in_the_file(climbed: tuple[Exported, list[str]]) -> None:
    one, _ = climbed
    manifest = read_manifest(one.folder)
    assert one.folder.name == "generic-ladder"
    assert (manifest.quantization, manifest.ladder) == ("int8", one.rungs)
    assert manifest.ladder[-1].bytes == one.file.stat().st_size
    assert {operator.split()[0] for operator in manifest.float_operators} >= {"CONV_2D", "FULLY_CONNECTED"}
    assert check_bundle(one.folder) == []


def test_only_the_chosen_file_sees_the_test_split(painted: Any, ruined: Subject, tmp_path: Path) -> None:
    seen: list[str] = []

    class Watching(Comparer):
        def compare(self, export: Any, runnable: Any, name: Any, *more: Any) -> Any:
            seen.append(name)
            return super().compare(export, runnable, name, *more)

    bench = Bench(ruined, painted.workers, Watching(ruined, painted.workers.runtime), tmp_path)
    made = climb(painted.plan(quantization="ladder", max_drop=0.02), bench)
    assert seen == ["validation"] * (len(made.rungs) - 1)
    assert made.rungs[1].reason == "all 160 training examples were calibrated on already"


@pytest.fixture(scope="module")
def refused(painted: Any, ruined: Subject, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    plan = painted.plan(target=OnlyIntegers(), quantization="ladder", max_drop=0.02)
    folder = tmp_path_factory.mktemp("refused")
    (one,) = export_all([plan], ruined, folder, painted.workers, decide=decider())
    return one


def test_no_rung_passes(refused: Exported) -> None:
    assert not refused.passed
    assert [(rung.rung, rung.state) for rung in refused.rungs] == [
        ("int8", "failed"),
        ("int8, more calibration", "not run"),
        ("int8, corrected biases", "failed"),
        ("int8, worst in float", "not run"),
        ("int16x8", "not run"),
        ("dynamic_range", "not run"),
        ("float16", "not run"),
    ]
    problem = refused.problems[0]
    assert problem.path == "export.0"
    assert "no rung of the ladder generic-ladder keeps its promises (2 files were tried)" in problem.message
    reasons = {rung.rung: rung.reason for rung in refused.rungs}
    assert reasons["int8, worst in float"] == "the target computes in integers only"
    assert reasons["float16"] == "the target 'generic' cannot run 'float16'"


def test_a_refused_ladder_leaves_its_table_and_no_bundle(refused: Exported) -> None:
    assert [folder.name for folder in refused.folder.parent.iterdir()] == ["generic-ladder.rejected"]
    assert {file.name for file in refused.folder.iterdir()} == {"model.tflite", "rejected.json"}
    told = json.loads((refused.folder / "rejected.json").read_text())["ladder"]
    assert [rung["rung"] for rung in told] == [rung.rung for rung in refused.rungs]


def test_training_with_the_rounding_is_the_last_rung(painted: Any, ruined: Subject, tmp_path: Path) -> None:
    def learn(export: Any, bench: Bench) -> Subject:
        assert export.quantization == "int8"
        return painted.subject  # the same function, with weights that int8 can hold

    made = climbed_with(learn, painted, ruined, tmp_path)
    assert (made.rungs[-1].rung, made.rungs[-1].state) == ("quantization-aware training", "chosen")
    assert made.subject is painted.subject and not made.problems


def climbed_with(learn: Learn, painted: Any, subject: Subject, folder: Path) -> Any:
    bench = Bench(subject, painted.workers, Comparer(subject, painted.workers.runtime), folder)
    return climb(painted.plan(target=OnlyIntegers(), quantization="ladder", max_drop=0.02), bench, learn)


def test_int8_alone_tries_nothing_else(painted: Any, ruined: Subject, tmp_path: Path) -> None:
    plan = painted.plan(quantization="int8", max_drop=0.02)
    (one,) = export_all([plan], ruined, tmp_path, painted.workers, decide=decider())
    assert not one.passed and one.rungs == ()
    assert one.folder.name == "generic-int8.rejected"


def test_a_network_that_int8_does_not_hurt_stays_on_the_first_rung_of_each_ladder(painted: Any, tmp_path: Path) -> None:
    plans = [painted.plan(target=target, quantization="ladder", max_drop=0.05) for target in ("generic", "coral")]
    found = export_all(plans, painted.subject, tmp_path, painted.workers, decide=decider())
    assert [one.folder.name for one in found] == ["generic-ladder", "coral-ladder"]
    for one in found:
        assert one.passed and [(rung.rung, rung.state) for rung in one.rungs] == [("int8", "chosen")]


def test_the_layers_that_int8_hurts_are_told_with_their_blocks(painted: Any, ruined: Subject) -> None:
    export = painted.plan(quantization="int8")
    unhurt = sensitivities(export, painted.subject, painted.workers)
    assert len(unhurt) == 6 and not any(one.suspect for one in unhurt)
    hurt = sensitivities(export, ruined, painted.workers)
    assert [(one.error.operator, one.block, one.suspect) for one in hurt[:3]] == [
        ("FULLY_CONNECTED", "blocks.2", True),  # its small weights are gone: many steps
        ("CONV_2D", "blocks.0", True),  # its small channels are: much noise
        ("SOFTMAX", "head", False),
    ]
    assert hurt[0].error.steps > 10 and hurt[1].error.steps < 0.5 < hurt[1].error.noise * 2
    assert hurt[1].layers == ("n002_convolution", "n003_activation")
    assert {one.error.operator for one in hurt if one.exact} == {"MAX_POOL_2D", "RESHAPE"}


def test_what_passes_values_on_is_kept_in_float_with_what_made_them(painted: Any, ruined: Subject) -> None:
    worst = sensitivities(painted.plan(quantization="int8"), ruined, painted.workers)
    operators = {one.error.tensor: one.error.operator for one in worst}
    assert [operators[tensor] for tensor in kept_float(worst, 1)] == ["FULLY_CONNECTED"]
    two = [operators[tensor] for tensor in kept_float(worst, 2)]
    assert two == ["CONV_2D", "MAX_POOL_2D", "RESHAPE", "FULLY_CONNECTED"]


def test_before_training_one_rung_that_can_be_converted_is_enough(
    painted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def convert(export: Any, graph: Any, workers: Any) -> str:
        tried.append(export.quantization)
        if export.quantization in refused:
            raise ProblemError(Problem(f"no {export.quantization}"))
        return "facts"

    monkeypatch.setattr("cnnpipe.bundle.convert._dry_file", convert)
    plan, refused = painted.plan(quantization="ladder", max_drop=0.1), {"int8"}
    assert dry_export([plan], painted.subject.graph, painted.workers) == ("facts",)
    assert tried == ["int8", "int16x8"]
    refused |= {"int16x8", "dynamic_range", "float16"}
    with pytest.raises(ProblemError, match="no float16"):
        dry_export([plan], painted.subject.graph, painted.workers)
    with pytest.raises(ProblemError, match="no int8"):
        dry_export([painted.plan(quantization="int8")], painted.subject.graph, painted.workers)
