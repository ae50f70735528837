"""Files for boards with Linux: the predict.py beside them, and ONNX, whose tensors are called as everywhere."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnpipe.bundle.check import check_bundle
from cnnpipe.bundle.export import Exported, export_all
from cnnpipe.bundle.open import open_bundle
from cnnpipe.bundle.proving import make_trial, prove, raw_reader
from cnnpipe.bundle.write import seal
from cnnpipe.errors import ProblemError
from cnnpipe.exporters.onnx import Onnx
from cnnpipe.manifest import MANIFEST, read_manifest, to_json


@pytest.fixture(scope="module")
def board_files(painted: Any, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Exported]:
    """The network of colours as an int8 file, and as ONNX twice."""
    plans = [
        painted.plan(target="raspberry_pi", quantization="int8"),
        painted.plan(target="jetson", format="onnx"),
        painted.plan(target="jetson", format="onnx", name="again"),
    ]
    folder = tmp_path_factory.mktemp("boards")
    return {one.export.name: one for one in export_all(plans, painted.subject, folder, painted.workers)}


@pytest.mark.parametrize("name", ["raspberry_pi-int8", "jetson-none-onnx"])
def test_the_script_says_what_the_run_said(board_files: Mapping[str, Exported], name: str) -> None:
    (proof,) = read_manifest(board_files[name].folder).proofs
    assert (proof.runtime, proof.state, proof.examples, proof.differing) == ("predict_script", "passed", 60, 0)
    assert (board_files[name].folder / "MODEL_CARD.md").is_file()


def test_it_prints_labels_of_pictures_and_folders_from_anywhere(
    board_files: Mapping[str, Exported], tmp_path: Path
) -> None:
    folder = board_files["raspberry_pi-int8"].folder
    command = [sys.executable, "-I", str(folder / "predict.py"), str(folder / "samples"), str(folder / "labels.txt")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    lines = done.stdout.splitlines()
    assert lines[0].endswith("00.png") and lines[1].split()[0] in ("red", "green", "blue", "yellow")
    assert done.returncode == 1 and "labels.txt: cannot be read" in done.stderr and "Traceback" not in done.stderr


def test_a_script_that_does_otherwise_is_found(
    board_files: Mapping[str, Exported], painted: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(board_files["raspberry_pi-int8"].folder, folder)
    script = folder / "predict.py"

    script.write_text(script.read_text().replace('np.float32(entry["add"])', 'np.float32(entry["add"] + 40)'))
    (folder / MANIFEST).write_text(to_json(seal(folder, read_manifest(folder))))
    assert any("predict.py contradicts" in problem.message for problem in check_bundle(folder))
    split = painted.subject.splits["test"]
    with open_bundle(folder) as bundle:
        raw = raw_reader(split, painted.subject.facts.preprocessing)
        (proof,) = prove(["predict_script"], bundle, make_trial(bundle, split.inputs, split.names, raw, split.targets))
    assert proof.state == "failed" and "steps from LiteRT's" in proof.reason


def test_an_onnx_file_answers_as_keras_under_the_names_of_all_formats(board_files: Mapping[str, Exported]) -> None:
    one = board_files["jetson-none-onnx"]
    facts = one.runnable.facts
    assert one.passed and one.file.name == "model.onnx"
    assert [(tensor.name, tensor.shape, tensor.dtype) for tensor in (*facts.inputs, *facts.outputs)] == [
        ("image", (1, 10, 12, 3), "float32"),
        ("probabilities", (1, 4), "float32"),
    ]
    assert "Conv" in facts.operators
    assert one.comparisons["test"].drop.differs == 0


def test_equal_networks_give_equal_onnx_files(board_files: Mapping[str, Exported]) -> None:
    assert board_files["jetson-none-onnx"].file.read_bytes() == board_files["again"].file.read_bytes()


def test_damaged_onnx_files_are_problems(board_files: Mapping[str, Exported], tmp_path: Path) -> None:
    whole, file = board_files["again"].file.read_bytes(), tmp_path / "model.onnx"
    for content in (b"", b"garbage", whole[: len(whole) // 2]):
        file.write_bytes(content)
        with pytest.raises(ProblemError, match=r"model\.onnx"):
            Onnx().inspect(file)


def test_without_the_packages_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: None)
    with pytest.raises(ProblemError) as found:
        list(Onnx().predict(tmp_path / "model.onnx", [{"image": np.zeros((1, 2))}]))
    assert "onnxruntime" in str(found.value) and "cnnpipe[onnx]" in str(found.value)


@pytest.mark.parametrize("name", ["raspberry_pi-int8", "jetson-none-onnx"])
def test_the_program_in_the_readme_asks_the_runtime_of_its_format(
    board_files: Mapping[str, Exported], name: str
) -> None:
    folder = board_files[name].folder
    program = (folder / "README.md").read_text().split("```python\n")[1].split("```")[0]
    sample = json.loads((folder / "parity.json").read_text())["samples"][0]
    command = [sys.executable, "-c", program, sample["original"]]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == sample["prediction"]["label"]


def test_the_card_tells_what_the_bundle_states(board_files: Mapping[str, Exported]) -> None:
    folder = board_files["raspberry_pi-int8"].folder
    manifest, card = json.loads((folder / MANIFEST).read_text()), (folder / "MODEL_CARD.md").read_text()
    score = manifest["scores"]["test"]["file"]["accuracy"]
    low, high = score["interval"]
    assert f"{score['value']:.4f} ({low:.4f} to {high:.4f}) | {score['n']} |" in card
    assert "Calibrated on 160 examples of the training split" in card
    assert "`predict_script`: other answers on 0 of 60" in card
