"""Semantic segmentation as a user runs it: train, export for three devices, ask about pictures small and large."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from cnnpipe import run_lengths
from cnnpipe.bundle.check import check_bundle
from cnnpipe.bundle.write import seal
from cnnpipe.cli._group import cli
from cnnpipe.datasets.synthetic_shapes import SyntheticShapes
from cnnpipe.jobs.predict import predict
from cnnpipe.jobs.results import RunResult
from cnnpipe.manifest import read_manifest, read_parity, to_json

RECIPE = """
task: {type: semantic_segmentation, loss: crossentropy_and_dice}
data:
  source: {type: synthetic_shapes, examples: 240, image_size: [32, 32], classes: [circle], noise: 0.02}
  preprocessing: {image_size: [32, 32], interpolation: mediapipe}
  augmentation: [{type: random_flip}]
model:
  blocks:
    - {type: conv_relu_pool, filters: 8}
    - {type: conv_relu_pool, filters: 16}
    - {type: conv, filters: 32}
  neck: {type: unet, repeat: 1, filters: [16, 8], batch_normalization: false}
training: {epochs: 14, batch_size: 8, optimizer: {type: adam, learning_rate: 4e-3}}
export:
  - {target: generic, quantization: none}
  - {target: android, quantization: int8, max_drop: 0.05}
  - {target: {type: cortex_m, board: arduino_nano_33_ble}, quantization: int8, max_drop: 0.05}
  - {target: {type: cortex_m, board: arduino_nano_33_ble}, quantization: int8, postprocessing: class_map}
"""


@pytest.fixture(scope="module")
def circles(run_recipe: Callable[[str], RunResult]) -> RunResult:
    return run_recipe(RECIPE)


def test_it_learns_and_every_file_passes_on_its_device(circles: RunResult) -> None:
    assert circles.training.scores.metrics["mean_iou"].value > 0.75
    assert [export.passed for export in circles.exported.exports] == [True] * 4
    proofs = {
        proof.runtime: proof
        for export in circles.exported.exports
        for proof in read_manifest(export.file.parent).proofs
    }
    assert {"mediapipe_tasks", "litert_micro"} <= set(proofs)
    assert all(proof.state == "passed" for proof in proofs.values())
    memory = read_manifest(circles.exported.exports[2].file.parent).memory
    assert memory is not None and memory.measured_by is not None


def test_a_bundle_of_masks_stays_small_and_holds_what_keras_said(circles: RunResult, tmp_path: Path) -> None:
    folder = circles.exported.exports[0].file.parent
    reference = np.load(folder / "sample_reference.npy")
    assert reference.shape == np.load(folder / "sample_output.npy").shape == (4, 32, 32, 2)
    assert (folder / "parity.json").stat().st_size < 100_000
    assert not check_bundle(folder)
    broken = tmp_path / "broken"
    shutil.copytree(folder, broken)
    np.save(broken / "sample_reference.npy", 1 - reference)
    manifest = seal(broken, read_manifest(broken))
    (broken / "bundle.json").write_text(to_json(manifest), encoding="utf-8")
    assert any("does not answer as Keras does" in problem.message for problem in check_bundle(broken))


def test_a_file_can_give_the_class_of_each_pixel(circles: RunResult, tmp_path: Path) -> None:
    scores, classes = (circles.exported.exports[number].file.parent for number in (2, 3))
    said, chosen = (np.load(folder / "sample_output.npy") for folder in (scores, classes))
    assert (chosen.dtype, chosen.shape[1:]) == (np.dtype("int32"), (32, 32, 1))
    names, others = ([sample.name for sample in read_parity(folder).samples] for folder in (scores, classes))
    rows = [others.index(name) for name in names]
    assert len(rows) == 4
    assert (chosen[rows, ..., 0] == said.argmax(-1)).mean() > 0.99  # two of 256 steps may be equal
    manifest = read_manifest(classes)
    assert manifest.operators[-2:] == ("ARG_MAX", "RESHAPE")
    assert "SOFTMAX" not in manifest.operators
    assert "whole numbers; number of the likeliest class" in (classes / "README.md").read_text(encoding="utf-8")
    assert manifest.decoding == {"classes": ("background", "circle")}
    assert manifest.scores["test"]["drop"]["drop"] == pytest.approx(
        read_manifest(scores).scores["test"]["drop"]["drop"], abs=0.005
    )
    broken = tmp_path / "broken"
    shutil.copytree(classes, broken)
    np.save(broken / "sample_output.npy", 1 - chosen)
    (broken / "bundle.json").write_text(to_json(seal(broken, manifest)), encoding="utf-8")
    assert any("another 'class_map'" in problem.message for problem in check_bundle(broken))


def test_a_mask_is_as_large_as_the_picture_and_lies_on_the_object(
    circles: RunResult, circle_pictures: Callable[..., Any]
) -> None:
    pictures = circle_pictures(4, (48, 64))
    truth = [raw["segmentation_masks"] == 1 for _, raw in pictures]
    for model in (circles.training.run, *(export.file.parent for export in circles.exported.exports)):
        answers = predict(model, [file for file, _ in pictures]).predictions
        masks = [run_lengths.decode(answer["mask"]) == 1 for answer in answers]
        overlaps = [(m & t).sum() / (m | t).sum() for m, t in zip(masks, truth, strict=True)]
        assert [mask.shape for mask in masks] == [(48, 64)] * 4
        assert np.mean(overlaps) > 0.5


def test_tiles_answer_at_full_size_and_pictures_are_drawn(circles: RunResult, tmp_path: Path) -> None:
    shapes = SyntheticShapes(examples=1, image_size=(32, 32), classes=("circle",), noise=0.02, seed=7)
    raw = shapes.open(tmp_path).examples[0].read()
    large = np.pad(raw["images"], [(0, 60), (0, 90), (0, 0)], mode="edge")
    Image.fromarray(large).save(tmp_path / "large.png")
    arguments = [str(circles.exported.exports[0].file.parent), str(tmp_path / "large.png"), "--tiles", "--json"]
    asked = CliRunner().invoke(cli, ["predict", *arguments, "--draw", str(tmp_path / "drawn")])
    assert asked.exit_code == 0, asked.output
    (answer,) = json.loads(asked.stdout)["predictions"]
    mask = run_lengths.decode(answer["mask"])
    assert mask.shape == large.shape[:2]
    assert (mask[:32, :32][raw["segmentation_masks"] == 1] == 1).mean() > 0.5
    with Image.open(tmp_path / "drawn" / "large.png") as drawn:
        assert drawn.width >= large.shape[1]


def test_scores_tell_classes_and_distances(circles: RunResult) -> None:
    details: dict[str, Any] = dict(circles.training.scores.details)
    assert set(details["per_class"]) == {"background", "circle"}
    assert details["errors_by_distance"][0]["errors"] > details["errors_by_distance"][4]["errors"]
    assert {"iou.png", "errors_by_distance.png", "mistakes.png"} <= {
        file.name for file in (circles.training.run / "figures").iterdir()
    }
