"""Instance segmentation as a user runs it: train, export, verify, ask about pictures of another size, draw."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnpipe import run_lengths
from cnnpipe.datasets.synthetic_shapes import SyntheticShapes
from cnnpipe.jobs.predict import predict
from cnnpipe.jobs.results import RunResult
from cnnpipe.jobs.run import run
from cnnpipe.jobs.verify import verify
from cnnpipe.manifest import read_manifest

RECIPE = """
task:
  type: instance_segmentation
  max_boxes: 2
  head:
    type: prototypes
    levels: [P2]
    repeat: 1
    prototypes: 8
    prototype_level: P2
    prototype_repeat: 0
    batch_normalization: {momentum: 0.9}
    prior_probability: 0.1
data:
  source: {type: synthetic_shapes, examples: 240, image_size: [32, 32], classes: [circle], objects: [1, 2], noise: 0.02}
  preprocessing: {image_size: [32, 32]}
  augmentation: [{type: random_flip}]
model:
  blocks:
    - {type: conv_relu_pool, filters: 8, batch_normalization: {momentum: 0.9}}
    - {type: conv_relu_pool, filters: 16, batch_normalization: {momentum: 0.9}}
    - {type: conv_relu_pool, filters: 32, batch_normalization: {momentum: 0.9}}
  neck: {type: fpn, levels: [P2, P3], filters: 16, batch_normalization: {momentum: 0.9}}
training: {epochs: 16, batch_size: 8, optimizer: {type: adam, learning_rate: 5e-3}, schedule: cosine_decay}
export:
  - {target: generic, quantization: none}
  - {target: generic, quantization: int8, max_drop: 0.1}
"""


@pytest.fixture(scope="module")
def circles(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    folder = tmp_path_factory.mktemp("instances")
    (folder / "circles.yaml").write_text(RECIPE, encoding="utf-8")
    return run(folder / "circles.yaml", runs_folder=folder / "runs")


def test_it_learns_and_every_file_passes(circles: RunResult) -> None:
    metrics = circles.training.scores.metrics
    assert metrics["mask_map_50"].value > 0.6
    assert metrics["data_science_bowl"].value > 0.2
    assert [export.passed for export in circles.exported.exports] == [True] * 2
    manifest = read_manifest(circles.exported.exports[1].file.parent)
    assert [output.name for output in manifest.outputs] == ["boxes", "scores", "coefficients", "prototypes"]
    assert len({output.scale for output in manifest.outputs}) >= 3  # none is bound to the range of another
    assert manifest.decoding["prototype_stride"] == 2
    assert verify(str(circles.exported.exports[1].file.parent)).passed


def test_masks_are_told_in_pixels_of_the_picture_and_drawn(circles: RunResult, tmp_path: Path) -> None:
    source = SyntheticShapes(examples=8, image_size=(32, 32), classes=("circle",), objects=(1, 2), noise=0.02, seed=7)
    truth, files = [], []
    for example in source.open(tmp_path).examples:
        raw = example.read()
        files.append(tmp_path / f"{example.name}.png")
        Image.fromarray(raw["images"]).resize((96, 64)).save(files[-1])  # wider than high: what is seen is stretched
        truth.append(np.kron(raw["instance_masks"] > 0, np.ones((2, 3), bool)))
    bundle = circles.exported.exports[0].file.parent
    found = predict(str(bundle), [str(file) for file in files], draw=tmp_path / "drawn")
    masks = [_seen(said) for said in found.predictions]
    ious = [(mask & true).sum() / (mask | true).sum() for mask, true in zip(masks, truth, strict=True)]
    assert np.median(ious) > 0.6, ious
    assert len(found.pictures) == len(files)
    assert (np.asarray(Image.open(found.pictures[0]).convert("RGB")).std((0, 1)) > 0).all()


def _seen(prediction: Mapping[str, Any]) -> np.ndarray:
    """Return where sure objects are."""
    masks = [run_lengths.decode(thing["mask"]) > 0 for thing in prediction["objects"] if thing["confidence"] > 0.3]
    return np.any([np.zeros((64, 96), bool), *masks], axis=0)
