"""Two-stage detectors as a user runs them: train, export for a device that computes in float, ask, draw."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnpipe import run_lengths
from cnnpipe.boxes.overlaps import overlap
from cnnpipe.datasets.synthetic_shapes import SyntheticShapes
from cnnpipe.jobs.predict import predict
from cnnpipe.jobs.results import RunResult
from cnnpipe.manifest import read_manifest

RECIPE = """
task:
  type: TASK
  max_boxes: 2
  iou_threshold: 0.3
  head:
    type: HEAD
    levels: [P2]
    aspect_ratios: [1.0]
    anchor_scale: 4.0
    proposals: 32
    regions: 8
    region_size: 5
    units: 32
    samples: 1
    MORE
data:
  source: {type: synthetic_shapes, examples: 240, image_size: [32, 32], classes: [circle], noise: 0.02}
  preprocessing: {image_size: [32, 32]}
  augmentation: [{type: random_flip}]
model:
  blocks:
    - {type: conv_relu_pool, filters: 8}
    - {type: conv_relu_pool, filters: 16}
    - {type: conv_relu_pool, filters: 32}
  neck: {type: fpn, levels: [P2, P3], filters: 16, batch_normalization: false}
training: {epochs: 12, batch_size: 8, optimizer: {type: adam, learning_rate: 4e-3}, schedule: cosine_decay}
export:
  - {target: raspberry_pi, quantization: none}
"""
HEADS = {
    "faster_rcnn": ("object_detection", "box_weight: 2.0", "map_50", ["boxes", "scores"]),
    "mask_rcnn": (
        "instance_segmentation",
        "masks: 3\n    mask_region_size: 6\n    mask_repeat: 1",
        "mask_map_50",
        ["objects", "masks"],
    ),
}


@pytest.fixture(scope="module", params=HEADS)
def circles(request: pytest.FixtureRequest, run_recipe: Callable[[str], RunResult]) -> tuple[str, RunResult]:
    task, more, *_ = HEADS[request.param]
    return request.param, run_recipe(RECIPE.replace("TASK", task).replace("HEAD", request.param).replace("MORE", more))


def pictures(folder: Path) -> tuple[list[Path], list[np.ndarray], list[np.ndarray]]:
    """Return files of another size than the network's, and what they show: boxes, and which pixels."""
    source = SyntheticShapes(examples=8, image_size=(32, 32), classes=("circle",), noise=0.02, seed=7)
    files, boxes, masks = [], [], []
    for example in source.open(folder).examples:
        raw = example.read()
        files.append(folder / f"{example.name}.png")
        Image.fromarray(raw["images"]).resize((96, 64)).save(files[-1])
        boxes.append(raw["bounding_boxes"]["boxes"][0] * (3, 2, 3, 2))
        masks.append(np.kron(raw["instance_masks"] > 0, np.ones((2, 3), bool)))
    return files, boxes, masks


def test_it_learns_and_its_files_are_of_builtins_in_float(circles: tuple[str, RunResult]) -> None:
    head, result = circles
    *_, headline, outputs = HEADS[head]
    assert result.training.scores.metrics[headline].value > 0.6
    (export,) = result.exported.exports
    assert export.passed
    manifest = read_manifest(export.file.parent)
    assert [(output.name, output.dtype) for output in manifest.outputs] == [(name, "float32") for name in outputs]
    assert {"TOPK_V2", "GATHER"} <= set(manifest.operators)
    assert not any(name.startswith(("Flex", "FLEX")) for name in manifest.operators)


def test_answers_are_in_pixels_of_the_picture_and_drawn(circles: tuple[str, RunResult], tmp_path: Path) -> None:
    head, result = circles
    files, boxes, masks = pictures(tmp_path)
    bundle = result.exported.exports[0].file.parent
    found = predict(str(bundle), [str(file) for file in files], draw=tmp_path / "drawn")
    best = [said["objects"][0] for said in found.predictions]
    assert np.median([overlap(np.float32(one["box"]), box) for one, box in zip(best, boxes, strict=True)]) > 0.6
    if head == "mask_rcnn":
        seen = [run_lengths.decode(one["mask"]) > 0 for one in best]
        ious = [(mask & true).sum() / (mask | true).sum() for mask, true in zip(seen, masks, strict=True)]
        assert np.median(ious) > 0.6, ious
    assert len(found.pictures) == len(files)
