"""Exported files of every quantization: what is in them, what they answer, and that they are the same each time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnpipe.bundle.check import check_bundle
from cnnpipe.bundle.convert import convert, dry_export, start_dry_export
from cnnpipe.bundle.export import Exported, export_all
from cnnpipe.bundle.runtime import file_outputs
from cnnpipe.bundle.workers import Workers
from cnnpipe.errors import ProblemError
from cnnpipe.events import Listener
from cnnpipe.litert_file import read
from cnnpipe.preprocessing.image import Normalization

NAMES = ("generic-none", "generic-float16", "generic-dynamic_range", "generic-int8", "int8-uint8", "int8-float32",
         "int8-mixed", "generic-int16x8", "int16x8-int16")  # fmt: skip
TYPES = {
    "generic-int8": ("int8", "int8"),
    "int8-uint8": ("uint8", "uint8"),
    "int8-mixed": ("uint8", "float32"),
    "int16x8-int16": ("int16", "int16"),
}


class Notes(Listener):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.mark.parametrize("name", NAMES)
def test_every_quantization_is_right_and_its_bundle_passes_its_own_check(
    exported: Mapping[str, Exported], name: str
) -> None:
    one = exported[name]
    (tensor,), (output,) = one.runnable.facts.inputs, one.runnable.facts.outputs
    assert one.passed, one.problems
    assert (tensor.dtype, output.dtype) == TYPES.get(name, ("float32", "float32"))
    assert (tensor.name, tensor.shape, output.name, output.shape) == ("image", (1, 10, 12, 3), "probabilities", (1, 4))
    assert one.comparisons["validation"].file.scores.metrics["accuracy"].value > 0.9
    assert check_bundle(one.folder) == []


@pytest.mark.parametrize("name", NAMES)
def test_all_constants_are_aligned_and_all_operators_are_built_in(exported: Mapping[str, Exported], name: str) -> None:
    data = exported[name].file.read_bytes()
    constants = [bytes(bytearray(buffer.data)) for buffer in read(data).buffers if buffer.data is not None]
    large = [constant for constant in constants if len(constant) >= 64]
    assert large
    for constant in large:
        assert data.find(constant) % 16 == 0
    assert all(operator.isupper() for operator in exported[name].runnable.facts.operators)


def test_an_int8_file_carries_the_normalization_in_its_input_tensor(exported: Mapping[str, Exported]) -> None:
    pixels = np.arange(256, dtype=np.uint8)
    for name, shift in (("generic-int8", -128), ("int8-uint8", 0)):
        (tensor,) = exported[name].runnable.facts.inputs
        assert tensor.scale == pytest.approx(1 / 255, rel=1e-4)
        assert tensor.zero_point == shift
        fed = exported[name].runnable.feeds["image"].apply(pixels, tensor.dtype)
        assert (fed.astype(int) == pixels.astype(int) + shift).all()
    entry = json.loads((exported["generic-int8"].folder / "bundle.json").read_text())["inputs"][0]
    assert entry["normalization"]["carried_by"] == "input tensor"
    entry = json.loads((exported["generic-none"].folder / "bundle.json").read_text())["inputs"][0]
    assert entry["normalization"]["carried_by"] == "file"


def test_a_normalization_without_zero_in_its_range_stays_in_the_file(painted: Any, tmp_path: Path) -> None:
    preprocessing = painted.subject.facts.preprocessing
    shifted = preprocessing.model_copy(update={"normalization": Normalization(scale=0.01, offset=1.0)})
    facts = replace(painted.subject.facts, preprocessing=shifted)
    graph = painted.graph({"type": "conv", "filters": 4}, "flatten", facts=facts)
    (found,) = dry_export([painted.plan(quantization="int8")], graph, painted.workers)
    assert found.inputs[0].scale == pytest.approx(1.0, rel=1e-3)


def test_float_files_are_smaller_when_quantized_and_tiny_ones_say_that_they_are_not(
    exported: Mapping[str, Exported], painted: Any, tmp_path: Path
) -> None:
    size = {name: one.file.stat().st_size for name, one in exported.items()}
    assert size["generic-float16"] < 0.7 * size["generic-none"]
    assert size["generic-dynamic_range"] < 0.5 * size["generic-none"]
    graph = painted.graph({"type": "conv", "filters": 4})
    (found,) = dry_export([painted.plan(quantization="dynamic_range")], graph, painted.workers)
    assert "changed nothing" in found.notes[0]


def test_the_same_network_gives_the_same_bytes_in_another_process_and_after_other_conversions(
    painted: Any, exported: Mapping[str, Exported], tmp_path: Path
) -> None:
    with Workers() as others:
        for name in ("generic-int8", "generic-none"):  # in another order than `exported` had
            file = tmp_path / f"{name}.tflite"
            convert(exported[name].export, painted.subject, others, file)
            assert file.read_bytes() == exported[name].file.read_bytes()


def test_a_layer_that_cannot_be_converted_is_named_before_training(painted: Any) -> None:
    from cnnpipe.graph import GraphBuilder
    from cnnpipe.graph.core import KerasLayer, NodeType
    from cnnpipe.graph.nodes.rearrange import Flatten

    class Complex(NodeType):
        kind = "complex"

        def output_shape(self, *inputs: Any) -> Any:
            return inputs[0]

        def keras_layer(self, *inputs: Any) -> KerasLayer:
            return (
                KerasLayer("RandomFlip", {})
                if not inputs
                else KerasLayer(
                    "Resizing", {"height": inputs[0][0], "width": inputs[0][1], "interpolation": "lanczos5"}
                )
            )

    graph = GraphBuilder()
    image = graph.input("image", (10, 12, 3))
    with graph.block(("model", "blocks", 0), "enlarge"):
        made = graph.add(Complex(), image)
    built = graph.build({"probabilities": graph.add(Flatten(), made)})
    future = start_dry_export([painted.plan(quantization="none")], built, painted.workers)
    with pytest.raises(ProblemError) as caught:
        future.result(timeout=120)
    (problem,) = caught.value.problems
    assert problem.path == "export.0"
    assert "generic-none" in problem.message and "ScaleAndTranslate" in problem.message
    assert "n001_complex of enlarge" in problem.message


def test_a_layer_that_was_silent_in_calibration_is_named(painted: Any, tmp_path: Path) -> None:
    from cnnpipe.build import build_model, get_weights, save_weights
    from cnnpipe.graph import GraphBuilder
    from cnnpipe.graph.nodes.activation import Activation
    from cnnpipe.graph.nodes.dense import Dense
    from cnnpipe.graph.nodes.pooling import GlobalAveragePooling

    graph = GraphBuilder()
    pooled = graph.add(GlobalAveragePooling(), graph.input("image", (10, 12, 3)))
    with graph.block(("model", "blocks", 0), "squeeze"):
        squeezed = graph.add(Activation("relu"), graph.add(Dense(2), pooled))
    built = graph.build({"probabilities": graph.add(Activation("sigmoid"), graph.add(Dense(4), squeezed))})
    weights = get_weights(build_model(built))
    weights["n002_dense"][0][:] = -0.5  # pixels are never negative: the units behind can only be zero
    save_weights(tmp_path / "weights.npz", weights)
    subject = replace(painted.subject, graph=built, weights=tmp_path / "weights.npz")
    with pytest.raises(ProblemError) as caught:
        convert(painted.plan(quantization="int8"), subject, painted.workers, tmp_path / "model.tflite")
    assert "LiteRT refuses model.tflite" in str(caught.value)
    assert "nothing but zero in calibration: n002_dense of squeeze" in str(caught.value)


def test_a_drop_beyond_max_drop_is_told_with_what_was_lost(painted: Any, tmp_path: Path) -> None:
    subject = painted.subject
    worse = replace(subject, weights=_with_noise(subject.weights, tmp_path / "noise.npz"))
    plan = painted.plan(quantization="none", max_drop=0.01)
    (one,) = export_all([plan], worse, tmp_path / "exports", painted.workers)
    assert not one.passed
    gate = next(problem for problem in one.problems if problem.path == "export.0.max_drop")
    drop = one.comparisons["validation"].drop
    assert f"{drop.lost} lost, {drop.won} won of 60" in gate.message
    assert set(one.comparisons) == {"validation"}  # the test split was not read
    told = json.loads((tmp_path / "exports" / "generic-none.rejected" / "rejected.json").read_text())
    assert len(told["lost"]) == drop.lost
    assert told["lost"][0]["model"]["label"] != told["lost"][0]["file"]["label"]
    (again,) = export_all([plan], subject, tmp_path / "exports", painted.workers)
    assert again.passed and [folder.name for folder in (tmp_path / "exports").iterdir()] == ["generic-none"]
    accepted = (again.file.read_bytes(), (again.folder / "bundle.json").read_bytes())
    export_all([plan], worse, tmp_path / "exports", painted.workers)  # what was accepted is not taken away
    assert (again.file.read_bytes(), (again.folder / "bundle.json").read_bytes()) == accepted


def _with_noise(weights: Path, file: Path) -> Path:
    from cnnpipe.build import load_weights, save_weights

    random = np.random.default_rng(0)
    noisy = {k: [a + random.normal(0, a.std() * 2 + 0.1, a.shape) for a in v] for k, v in load_weights(weights).items()}
    save_weights(file, noisy)
    return file


def test_a_drop_on_the_test_split_fails_the_export_after_the_decision(
    painted: Any, exported: Mapping[str, Exported], tmp_path: Path
) -> None:
    """The test split holds pictures between two classes, of which the int8 file judges some otherwise."""
    subject = painted.subject
    training, random = subject.splits["training"].inputs["image"], np.random.default_rng(0)
    one, other = training[random.integers(0, 160, 3000)], training[random.integers(0, 160, 3000)]
    share = random.uniform(0.3, 0.7, (3000, 1, 1, 1))
    between = (share * one + (1 - share) * other).astype(np.uint8)
    answers = subject.call({"image": between})["probabilities"]
    said = file_outputs(painted.workers.runtime, exported["generic-int8"].runnable, {"image": between})["probabilities"]
    differs = answers.argmax(1) != said.argmax(1)
    rows = [*np.flatnonzero(differs)[:2], *np.flatnonzero(~differs)[:20]]
    truth = {"probabilities": answers.argmax(1)[rows].astype(np.int32)}
    names = tuple(f"between/{row}" for row in rows)
    test = replace(
        subject.splits["test"], names=names, files=(None,) * 22, inputs={"image": between[rows]}, targets=truth
    )
    subject = replace(subject, splits={**subject.splits, "test": test})
    (found,) = export_all([painted.plan(quantization="int8", max_drop=0.0)], subject, tmp_path, painted.workers)
    assert found.comparisons["validation"].drop.drop <= 0
    assert [problem.path for problem in found.problems] == ["export.0.max_drop"]
    assert "on test (2 lost, 0 won of 22)" in found.problems[0].message
    assert found.folder.name == "generic-int8.rejected"


def test_operators_that_stay_in_float_are_told(painted: Any) -> None:
    from cnnpipe.graph import GraphBuilder
    from cnnpipe.graph.nodes.dense import Dense
    from cnnpipe.graph.nodes.normalization import LayerNormalization
    from cnnpipe.graph.nodes.rearrange import Flatten

    graph = GraphBuilder()
    hidden = graph.add(Dense(8), graph.add(Flatten(), graph.input("image", (10, 12, 3))))
    built = graph.build({"probabilities": graph.add(Dense(4), graph.add(LayerNormalization(), hidden))})
    (facts,) = dry_export([painted.plan(quantization="int8")], built, painted.workers)
    assert any("n003_layer_normalization" in operator for operator in facts.float_operators)
    assert "these operators stay in float" in facts.notes[0]


def test_a_conversion_that_takes_too_long_is_told_at_its_line_and_the_next_one_works(
    painted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = [painted.plan(quantization="none")]
    with monkeypatch.context() as short:
        short.setattr("cnnpipe.bundle.convert.CONVERSION_SECONDS", 0.001)
        with pytest.raises(ProblemError) as caught:
            dry_export(plan, painted.subject.graph, painted.workers)
    assert caught.value.problems[0].path == "export.0"
    assert "the conversion process gave no answer" in str(caught.value)
    assert dry_export(plan, painted.subject.graph, painted.workers)[0].operators


def test_a_bundle_answers_for_pictures_as_the_run_does_without_tensorflow(
    painted: Any, exported: Mapping[str, Exported], tmp_path: Path
) -> None:
    from PIL import Image

    subject, files = painted.subject, []
    for row in range(8):
        pixels = subject.splits["test"].inputs["image"][row].repeat(5, axis=0).repeat(5, axis=1)
        files.append(tmp_path / f"{row}.png")
        Image.fromarray(pixels).save(files[-1])
    from cnnpipe.data import read_inputs

    outputs = subject.call({"image": read_inputs(subject.facts.preprocessing, files)})
    wanted = [prediction["label"] for prediction in subject.task.decode(outputs, subject.facts)]
    code = (
        "import sys, json; from pathlib import Path; from cnnpipe.bundle.open import open_bundle\n"
        "with open_bundle(Path(sys.argv[1])) as bundle: said = bundle.predict(sys.argv[2:])\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
        "print(json.dumps([one['label'] for one in said]))"
    )
    for name in ("generic-none", "generic-int8"):
        command = [sys.executable, "-c", code, str(exported[name].folder), *map(str, files)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == wanted


def test_the_program_in_the_readme_runs_and_gives_the_golden_answer(exported: Mapping[str, Exported]) -> None:
    for row, name in enumerate(("generic-none", "generic-int8", "int8-mixed", "int16x8-int16")):
        folder = exported[name].folder
        program = (folder / "README.md").read_text().split("```python\n")[1].split("```")[0]
        sample = json.loads((folder / "parity.json").read_text())["samples"][row]
        command = [sys.executable, "-c", program, sample["original"]]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        assert done.stdout.split()[0] == sample["prediction"]["label"]


def test_the_golden_samples_hold_one_example_of_each_class(exported: Mapping[str, Exported]) -> None:
    samples = json.loads((exported["generic-int8"].folder / "parity.json").read_text())["samples"]
    assert {sample["prediction"]["label"] for sample in samples} == {"red", "green", "blue", "yellow"}


def test_a_bundle_says_by_itself_how_to_run_the_file(exported: Mapping[str, Exported]) -> None:
    from ai_edge_litert.interpreter import Interpreter

    folder = exported["generic-int8"].folder
    stated = json.loads((folder / "bundle.json").read_text())
    interpreter = Interpreter(str(folder / stated["file"]))
    interpreter.allocate_tensors()
    source, result = stated["inputs"][0], stated["outputs"][0]
    stored, wanted = np.load(folder / source["sample"]), np.load(folder / result["sample"])
    for row, expected in zip(stored, wanted, strict=True):
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], row[None])
        interpreter.invoke()
        found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
        assert np.abs(found.astype(int) - expected).max() <= 1
    assert stated["files"]["model.tflite"]["bytes"] == (folder / "model.tflite").stat().st_size
    assert set(stated["scores"]) == {"validation", "test"}
    assert stated["scores"]["test"]["file"]["accuracy"]["n"] == 60


def test_several_inputs_and_outputs_keep_their_names_and_order(painted: Any, tmp_path: Path) -> None:
    from cnnpipe.graph import GraphBuilder
    from cnnpipe.graph.nodes.dense import Dense
    from cnnpipe.graph.nodes.merge import Concatenate

    graph = GraphBuilder()
    second, first = graph.input("second", (4,)), graph.input("first", (6,))
    joined = graph.add(Concatenate(), second, first)
    one, two = graph.add(Dense(3), joined), graph.add(Dense(5), joined)
    built = graph.build({"wide": two, "narrow": one})
    (facts,) = dry_export([painted.plan(quantization="int8")], built, painted.workers)
    assert [(tensor.name, tensor.shape) for tensor in facts.inputs] == [("second", (1, 4)), ("first", (1, 6))]
    assert [(tensor.name, tensor.shape) for tensor in facts.outputs] == [("wide", (1, 5)), ("narrow", (1, 3))]


def test_answers_do_not_depend_on_how_many_examples_a_call_takes(
    painted: Any, exported: Mapping[str, Exported], monkeypatch: pytest.MonkeyPatch
) -> None:
    runnable = exported["generic-int8"].runnable
    inputs = painted.subject.splits["test"].inputs
    whole = file_outputs(painted.workers.runtime, runnable, inputs)["probabilities"]
    monkeypatch.setattr("cnnpipe.bundle.runtime.CALL_BYTES", 1000)
    parts = file_outputs(painted.workers.runtime, runnable, inputs)["probabilities"]
    assert whole.shape == (60, 4) and np.array_equal(whole, parts)
