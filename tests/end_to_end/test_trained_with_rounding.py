"""An export that is trained with its rounding: by its recipe, twice the same, and held against what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cnnpipe.build
from cnnpipe import litert_file
from cnnpipe.bundle.check import check_bundle
from cnnpipe.jobs.check import check
from cnnpipe.jobs.export import export
from cnnpipe.jobs.run import run
from cnnpipe.manifest import read_manifest

RECIPE = """\
name: digits
task: {type: image_classification, classes: 10}
data:
  source: digits
  preprocessing: {image_size: [8, 8], color_mode: grayscale}
model:
  blocks:
    - {type: conv, filters: 8, batch_normalization: true}
    - {type: separable_conv, filters: 16, batch_normalization: true}
    - {type: residual, filters: 16}
    - {type: max_pooling, name: last}
training: {epochs: 6, batch_size: 64, optimizer: {type: adam, learning_rate: 1e-2}}
export:
  - {target: generic, quantization: int8, quantization_aware: {epochs: 2}, max_drop: 0.05}
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("aware")
    (folder / "digits.yaml").write_text(RECIPE)
    return run(folder / "digits.yaml", runs_folder=folder / "runs")


def bundle(trained: Any) -> Path:
    return Path(trained.training.run) / "exports" / "generic-int8"


def test_a_recipe_gives_a_proven_bundle(trained: Any, workers: Any) -> None:
    assert trained.passed
    manifest = read_manifest(bundle(trained))
    assert manifest.origin["quantization_aware"]["epochs"] == 2
    assert manifest.origin["quantization_aware"]["learning_rate"] == pytest.approx(1e-2 / 6)
    assert not manifest.float_operators and "BATCH" not in " ".join(manifest.operators)
    assert (manifest.inputs[0].multiply, manifest.inputs[0].add) == (1.0, -128.0)
    model = litert_file.read((bundle(trained) / manifest.file).read_bytes())
    types = {litert_file._dtype(tensor) for graph in model.subgraphs for tensor in graph.tensors}
    assert types == {"int8", "int32"}
    assert list(check_bundle(bundle(trained), workers.runtime)) == []
    assert manifest.scores["test"]["file"]["accuracy"]["value"] > 0.7


def test_the_same_export_again_is_the_same_file(trained: Any) -> None:
    before = (bundle(trained) / "model.tflite").read_bytes()
    export(trained.training.run)
    assert (bundle(trained) / "model.tflite").read_bytes() == before


def test_it_is_another_file_than_without(trained: Any) -> None:
    before = (bundle(trained) / "model.tflite").read_bytes()
    export(trained.training.run, {"quantization": "int8"})
    assert (bundle(trained) / "model.tflite").read_bytes() != before
    assert "quantization_aware" not in read_manifest(bundle(trained)).origin


def test_a_range_that_is_off_in_the_file_is_noticed(trained: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is converted has the bounds of one range eight times as wide as the network that was trained."""
    write = cnnpipe.build.save_weights

    def spoilt(file: Path, weights: Any) -> None:
        if "quantization_aware" in file.name:
            (name, *_) = [name for name in weights if "convolution_range" in name or "activation_range" in name]
            weights = {**weights, name: [8 * np.asarray(bound) for bound in weights[name]]}
        write(file, weights)

    monkeypatch.setattr(cnnpipe.build, "save_weights", spoilt)
    (one,) = export(trained.training.run, {"quantization": "int8", "quantization_aware": {"epochs": 1}}).exports
    assert not one.passed
    assert any("has no tensor of scale" in problem.message for problem in one.problems)


def test_check_refuses_what_cannot_be_trained_so_at_its_line(tmp_path: Path) -> None:
    recipe = tmp_path / "gelu.yaml"
    recipe.write_text(RECIPE.replace("{type: conv, filters: 8,", "{type: conv, filters: 8, activation: gelu,"))
    (problem,) = check(recipe).problems
    assert "cannot be trained quantization-aware: the activation 'gelu'" in problem.message
    assert problem.place is not None and problem.place.line == 8
    recipe.write_text(recipe.read_text().replace("quantization_aware: {epochs: 2}, ", ""))
    assert check(recipe).passed


def test_its_settings_are_ignored_without_int8(tmp_path: Path) -> None:
    recipe = tmp_path / "digits.yaml"
    recipe.write_text(RECIPE.replace("quantization: int8", "quantization: float16"))
    assert "quantization_aware" in json.dumps([str(problem) for problem in check(recipe).problems])
