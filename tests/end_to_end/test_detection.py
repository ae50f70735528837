"""Object detection as a user runs it: train, export for two devices, ask about pictures of another size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnpipe.boxes.overlaps import overlap
from cnnpipe.jobs.predict import predict
from cnnpipe.jobs.results import RunResult
from cnnpipe.manifest import read_manifest

RECIPE = """
task:
  type: object_detection
  max_boxes: 2
  iou_threshold: 0.3
  suppression: across_classes
  head: {type: decoupled, levels: [P3], repeat: 1, batch_normalization: false, prior_probability: 0.1}
data:
  source: {type: synthetic_shapes, examples: 240, image_size: [32, 32], classes: [circle], noise: 0.02}
  preprocessing: {image_size: [32, 32], interpolation: mediapipe}
  augmentation: [{type: random_flip}]
model:
  blocks:
    - {type: conv_relu_pool, filters: 8}
    - {type: conv_relu_pool, filters: 16}
    - {type: conv_relu_pool, filters: 32}
  neck: {type: fpn, levels: [P3], filters: 16, batch_normalization: false}
training: {epochs: 14, batch_size: 8, optimizer: {type: adam, learning_rate: 4e-3}}
export:
  - {target: generic, quantization: none}
  - {target: android, quantization: int8, max_drop: 0.1}
  - {target: android, quantization: none, postprocessing: non_max_suppression}
"""


@pytest.fixture(scope="module")
def circles(run_recipe: Callable[[str], RunResult]) -> RunResult:
    return run_recipe(RECIPE)


def test_it_learns_and_every_file_passes_on_its_device(circles: RunResult) -> None:
    assert circles.training.scores.metrics["map_50"].value > 0.7
    assert [export.passed for export in circles.exported.exports] == [True] * 3
    _, phone, inside = (read_manifest(export.file.parent) for export in circles.exported.exports)
    assert [output.name for output in phone.outputs] == ["boxes", "scores"]
    assert phone.outputs[0].scale != phone.outputs[1].scale
    assert phone.decoding["levels"] == {"P3": (4, 4)}
    (proof,) = phone.proofs
    assert (proof.runtime, proof.state) == ("mediapipe_tasks", "passed")
    assert [output.name for output in inside.outputs] == ["location", "category", "score", "count"]
    assert "NON_MAX_SUPPRESSION_V4" in inside.operators
    assert inside.scores["test"]["file"] == inside.scores["test"]["model"]
    (proof,) = inside.proofs
    assert (proof.runtime, proof.state, proof.differing) == ("mediapipe_tasks", "passed", 0)


def test_boxes_are_told_in_pixels_of_the_picture(
    circles: RunResult, circle_pictures: Callable[..., Any], tmp_path: Path
) -> None:
    drawn = circle_pictures(8, (48, 48), (144, 96))  # wider than high: what is seen is stretched
    truth = [raw["bounding_boxes"]["boxes"][0] * [3, 2, 3, 2] for _, raw in drawn]
    files = [file for file, _ in drawn]
    bundle = circles.exported.exports[1].file.parent
    found = predict(str(bundle), [str(file) for file in files], draw=tmp_path / "drawn")
    best = [prediction["objects"][0]["box"] for prediction in found.predictions]
    ious = [float(overlap(np.array(box), true)) for box, true in zip(best, truth, strict=True)]
    assert np.median(ious) > 0.6, ious
    assert len(found.pictures) == len(files)
