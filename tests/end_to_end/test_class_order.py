"""Data that numbers the same classes in another order is measured by their names."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from click.testing import CliRunner
from PIL import Image

from cnnpipe.cli._group import cli
from cnnpipe.jobs.results import RunResult

COLORS = {"red": (220, 40, 40), "blue": (40, 40, 220)}
RECIPE = """
task: semantic_segmentation
data:
  source: {{type: coco, training: {{annotations: {file}, images: {images}}}, masks: true}}
  preprocessing: {{image_size: [16, 16]}}
model: {{blocks: [{{type: conv, filters: 8, kernel_size: 1}}]}}
training: {{epochs: 6, batch_size: 8, optimizer: {{type: adam, learning_rate: 3e-2}}}}
export: [{{target: generic}}]
"""


def painted(folder: Path, number: int, names: Sequence[str]) -> Path:
    """Write pictures of a red and a blue rectangle as COCO's JSON, with the classes in this order."""
    random, images, annotations = np.random.default_rng(number), [], []
    (folder / "images").mkdir(parents=True)
    for image in range(number):
        pixels = random.integers(90, 110, (16, 16, 3)).astype(np.uint8)
        for left, (name, color) in zip((1, 9), COLORS.items(), strict=True):
            top, height = int(random.integers(1, 6)), int(random.integers(4, 9))
            pixels[top : top + height, left : left + 6] = color
            corners = [left, top, left + 6, top, left + 6, top + height, left, top + height]
            row = {"id": len(annotations) + 1, "image_id": image, "category_id": names.index(name) + 1, "iscrowd": 0}
            box = {"bbox": [left, top, 6, height], "area": 6 * height, "segmentation": [corners]}
            annotations.append({**row, **box})
        Image.fromarray(pixels).save(folder / "images" / f"{number}_{image}.png")
        images.append({"id": image, "file_name": f"{number}_{image}.png", "width": 16, "height": 16})
    categories = [{"id": number + 1, "name": name} for number, name in enumerate(names)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "all.json").write_text(json.dumps(content))
    return folder / "all.json"


def test_verify_measures_data_whose_classes_stand_in_another_order(
    run_recipe: Callable[[str], RunResult], tmp_path: Path
) -> None:
    own = painted(tmp_path / "own", 60, ["red", "blue"])
    made = run_recipe(RECIPE.format(file=own, images=own.parent / "images"))
    assert made.training.scores.metrics["mean_iou"].value > 0.9
    other = painted(tmp_path / "other", 20, ["blue", "red"])
    bundle = made.exported.exports[0].file.parent
    asked = CliRunner().invoke(cli, ["verify", str(bundle), "--data", str(other), "--json"])
    assert asked.exit_code == 0, asked.output
    assert json.loads(asked.stdout)["data"]["score"]["value"] > 0.9
