"""Proofs by runtimes of a device: made-up ones in a plugin folder, each with one habit."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import cnnpipe
from cnnpipe.bundle.export import Exported, export_all
from cnnpipe.bundle.open import open_bundle
from cnnpipe.bundle.proving import make_trial, prove, raw_reader
from cnnpipe.manifest import Proof, read_manifest

RUNTIME = '''
"""A made-up runtime."""
import os, time
from pathlib import Path
from typing import ClassVar, Literal
import numpy as np
from cnnpipe.bundle.open import open_bundle
from cnnpipe.runtimes import Answers, Bounds, Cases, Runtime

class Device(Runtime):
    """A made-up runtime."""
    type: Literal["{name}"] = "{name}"
    title: ClassVar[str] = "{name} device"
    feeds_on: ClassVar[Literal["stored", "raw"]] = "{feeds_on}"
    clients: ClassVar[tuple[str, ...] | None] = {clients}
    bounds: ClassVar[Bounds] = Bounds(steps={steps}, score={score}, decisions={decisions})
    seconds: ClassVar[float] = 20.0

    def missing(self):
        return "{missing}"

    def run(self, folder, manifest, cases):
        with open_bundle(Path(folder)) as bundle:
            if cases.raws:
                outputs = bundle.outputs(bundle._inputs(cases.raws))
            else:
                from cnnpipe.bundle.runtime import stored_outputs
                outputs = stored_outputs(bundle.runtime, bundle.runnable, cases.stored)
        outputs = {{key: value.copy() for key, value in outputs.items()}}
        {habit}
        return Answers(outputs, {{"arena_bytes": 46128}})
'''
USUAL = {
    "feeds_on": "stored", "clients": None, "missing": "", "steps": 0, "score": 0.0, "decisions": True, "habit": "pass",
}  # fmt: skip
TARGET = '''
"""A made-up device."""
from collections.abc import Mapping
from typing import ClassVar, Literal
from pydantic import Field
from cnnpipe.exporters import AnyExporter
from cnnpipe.registry import Component
from cnnpipe.targets import Target

class Gadget(Target):
    """A made-up device."""
    type: Literal["gadget"] = "gadget"
    format: AnyExporter = Field(default_factory=lambda: Component("exporters").validate("litert"))
    """The file format."""
    title: ClassVar[str] = "a made-up device"
    input_types: ClassVar[Mapping[str, str]] = {{"none": "float32", "int8": "int8"}}
    runtimes: ClassVar[tuple[str, ...]] = {runtimes}
'''
Device = Callable[..., Path]


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Device:
    """Return a function that makes the target `gadget`; each keyword is a runtime of it and its habits."""
    monkeypatch.setattr("cnnpipe.registry._plugin_folders", [])

    def make(**runtimes: Mapping[str, Any]) -> Path:
        folder = tmp_path / "plugins"
        for room in ("runtimes", "targets"):
            (folder / room).mkdir(parents=True, exist_ok=True)
        for name, habits in runtimes.items():
            (folder / "runtimes" / f"{name}.py").write_text(RUNTIME.format(name=name, **{**USUAL, **habits}))
        (folder / "targets" / "gadget.py").write_text(TARGET.format(runtimes=tuple(runtimes)))
        cnnpipe.add_plugins(folder)
        return folder

    return make


def _export(painted: Any, folder: Path, **plan: Any) -> Exported:
    (one,) = export_all([painted.plan(target="gadget", **plan)], painted.subject, folder, painted.workers)
    return one


def _proof(one: Exported, runtime: str) -> Proof:
    return next(proof for proof in one.proofs if proof.runtime == runtime)


def test_what_agrees_is_recorded_in_bundle_and_readme(device: Device, painted: Any, tmp_path: Path) -> None:
    device(same_one={}, not_here={"missing": "the package gadget is not installed"}, detects={"clients": ("detector",)})
    one = _export(painted, tmp_path / "exports", quantization="int8")
    assert one.passed
    proofs = read_manifest(one.folder).proofs
    assert proofs == one.proofs
    assert [proof.state for proof in proofs] == ["passed", "not run", "not run"]
    assert (proofs[0].examples, proofs[0].differing, proofs[0].largest_steps) == (60, 0, 0)
    assert proofs[0].score == one.comparisons["test"].file.scores.metrics["accuracy"].value
    assert proofs[1].reason == "the package gadget is not installed"
    assert proofs[2].reason == "it plays no image_classifier"
    text = (one.folder / "README.md").read_text()
    assert "- same_one device: same answers on 60 of 60, arena 46,128 bytes" in text
    assert "- not_here device: not run (the package gadget is not installed)" in text


def test_a_runtime_that_gets_pictures_sees_every_example(device: Device, painted: Any, tmp_path: Path) -> None:
    device(pictures={"feeds_on": "raw", "steps": 0.01})
    one = _export(painted, tmp_path / "exports", quantization="none")
    assert (_proof(one, "pictures").state, _proof(one, "pictures").examples) == ("passed", 60)


@pytest.mark.parametrize(
    ("habits", "said"),
    [
        (
            {"habit": "outputs['probabilities'][3] += 2"},
            "'probabilities' is 2 steps from LiteRT's on 'test/003' (0 all",
        ),
        (
            {"habit": "outputs['probabilities'] = outputs['probabilities'][:, ::-1]", "steps": None},
            "says something else",
        ),
        (
            {"habit": "outputs['probabilities'][:] = -128", "steps": None, "decisions": False, "score": 0.1},
            "its accuracy is 0.25",
        ),
        ({"habit": "outputs.clear()"}, "it gives no output 'probabilities'"),
        ({"habit": "outputs['probabilities'] = outputs['probabilities'][:, :2]"}, "has the shape (60, 2) instead of"),
        ({"habit": "os.abort()"}, "died of SIGABRT"),
        ({"habit": "raise ValueError('no such operator')"}, "no such operator"),
    ],
    ids=["steps", "decisions", "score", "nothing", "shape", "crash", "error"],
)
def test_what_does_not_agree_rejects_the_file(
    device: Device, painted: Any, tmp_path: Path, habits: dict[str, Any], said: str
) -> None:
    device(odd_one=habits)
    one = _export(painted, tmp_path / "exports", quantization="int8")
    assert not one.passed
    assert one.folder.name == "gadget-int8.rejected"
    assert not (tmp_path / "exports" / "gadget-int8").exists()
    (problem,) = one.problems
    assert "the file gadget-int8: odd_one device does not confirm the file: " in problem.message
    assert said in problem.message
    assert problem.path == "export.0"
    assert said in json.loads((one.folder / "rejected.json").read_text())["problems"][0]


def test_max_drop_holds_in_the_runtime_of_the_device_too(device: Device, painted: Any, tmp_path: Path) -> None:
    """A runtime may round so differently that it stays within its bounds and still loses too much."""
    device(lossy_one={"habit": "outputs['probabilities'][:] = -128", "steps": None, "decisions": False, "score": 1.0})
    assert _export(painted, tmp_path / "free", quantization="int8").passed
    one = _export(painted, tmp_path / "held", quantization="int8", max_drop=0.1)
    (problem,) = one.problems
    assert "of accuracy on test in lossy_one (n=60); max_drop allows 0.1" in problem.message
    assert problem.path == "export.0.max_drop"
    assert one.folder.name == "gadget-int8.rejected"


def test_a_runtime_that_hangs_is_ended(device: Device, exported: Mapping[str, Exported], painted: Any) -> None:
    folder = device(slow_one={"habit": "time.sleep(600)"})
    file = folder / "runtimes" / "slow_one.py"
    file.write_text(file.read_text().replace("20.0", "1.0"))
    with open_bundle(exported["generic-int8"].folder) as bundle:
        split = painted.subject.splits["test"]
        raw = raw_reader(split, bundle.facts.preprocessing)
        (proof,) = prove(["slow_one"], bundle, make_trial(bundle, split.inputs, split.names, raw))
    assert proof.state == "failed"
    assert "gave no answer" in proof.reason
    assert proof.score is None


def test_verify_asks_again_and_tells_what_cannot_be_run(device: Device, painted: Any, tmp_path: Path) -> None:
    folder = device(same_one={}, comes_and_goes={})
    one = _export(painted, tmp_path / "exports", quantization="int8")
    found = cnnpipe.verify(one.folder)
    assert found.passed
    assert [(proof.runtime, proof.state, proof.examples) for proof in found.proofs] == [
        ("same_one", "passed", 4), ("comes_and_goes", "passed", 4),
    ]  # fmt: skip
    (folder / "runtimes" / "same_one.py").unlink()
    file = folder / "runtimes" / "comes_and_goes.py"
    file.write_text(file.read_text().replace("pass\n", "outputs['probabilities'] += 9\n"))
    found = cnnpipe.verify(one.folder)
    assert not found.passed
    assert [proof.state for proof in found.proofs] == ["not run", "failed"]
    assert found.proofs[0].reason == "no runtime is called 'same_one' here"
    assert "comes_and_goes device does not confirm the file" in found.problems[0].message
    (one.folder / "labels.txt").write_text("changed\n")
    assert [proof.state for proof in cnnpipe.verify(one.folder).proofs] == ["not run", "not run"]


def test_verify_asks_about_given_data(
    device: Device, painted: Any, tmp_path: Path, make_photos: Callable[..., Path]
) -> None:
    device(pictures={"feeds_on": "raw", "steps": 0.01})
    one = _export(painted, tmp_path / "exports", quantization="int8")
    found = cnnpipe.verify(one.folder, make_photos(tmp_path / "photos", {"red": 3, "blue": 2}))
    assert found.data is not None
    (proof,) = found.data.proofs
    assert (proof.state, proof.examples, proof.score) == ("passed", 5, found.data.score.value)
