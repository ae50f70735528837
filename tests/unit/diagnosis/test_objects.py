"""What the doctor says of boxes and masks: each planted fault is found, and clean ones are left alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnpipe.datasets.synthetic_shapes import SyntheticShapes
from cnnpipe.diagnosis import Finding
from cnnpipe.diagnosis.duplicate_boxes import same_boxes
from cnnpipe.jobs.doctor import Diagnosis, doctor
from cnnpipe.report.annotated_picture import color_of

HEADER = "image,label,xmin,ymin,xmax,ymax,split\n"
COUNTS = {"train": 24, "val": 6, "test": 6}
BOXES = """\
task: {type: object_detection}
data:
  source: {type: csv_boxes, path: boxes.csv, split_column: split}
  preprocessing: {image_size: [64, 64]}
  augmentation: [{type: random_flip, mode: horizontal}]
model:
  blocks: [{type: conv_relu_pool, filters: 2, repeat: 1}, {type: conv_relu_pool, filters: 2}]
training: {epochs: 1}
"""
MASKS = """\
task: {type: semantic_segmentation}
data:
  source: {type: mask_folder, path: ., classes: [circle, square]}
  preprocessing: {image_size: [64, 64]}
model:
  blocks: [{type: conv_relu_pool, filters: 2}]
training: {epochs: 1}
"""
CHECKS = {
    "crowds", "duplicate_boxes", "object_balance", "pixel_balance", "repaired_annotations", "small_objects",
    "without_objects",
}  # fmt: skip
Diagnose = Callable[..., Diagnosis]


@pytest.fixture
def rows(tmp_path: Path) -> list[str]:
    """Pictures of two shapes with their masks, and the rows of their boxes, to be spoiled."""
    source = SyntheticShapes.model_validate(
        {"examples": sum(COUNTS.values()), "objects": (2, 2), "classes": ("circle", "square"), "image_size": (64, 64)}
    )
    splits = [split for split, count in COUNTS.items() for _ in range(count)]
    found = []
    for number, (example, split) in enumerate(zip(source.open(tmp_path).examples, splits, strict=True)):
        raw = example.read()
        for kind, pixels in (("images", raw["images"]), ("masks", raw["segmentation_masks"])):
            (tmp_path / kind / split).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / kind / split / f"{number:02d}.png")
        boxes = raw["bounding_boxes"]
        for box, label in zip(boxes["boxes"].astype(int).tolist(), boxes["labels"].tolist(), strict=True):
            corners = ",".join(map(str, box))
            found.append(f"images/{split}/{number:02d}.png,{source.classes[label]},{corners},{split}\n")
    return found


@pytest.fixture
def diagnose(tmp_path: Path) -> Diagnose:
    """Return a function that lets the doctor look at a recipe with changes."""

    def run(rows: Sequence[str], *overrides: str, text: str = BOXES, picture: Path | None = None) -> Diagnosis:
        (tmp_path / "boxes.csv").write_text(HEADER + "".join(rows))
        (tmp_path / "recipe.yaml").write_text(text)
        return doctor(tmp_path / "recipe.yaml", overrides, tmp_path / "runs", picture)

    return run


def about_objects(found: Diagnosis) -> list[Finding]:
    return [finding for finding in found.findings if finding.check in CHECKS]


def the(found: Diagnosis, check: str) -> Finding:
    (finding,) = (finding for finding in found.findings if finding.check == check)
    return finding


def test_clean_boxes_are_only_counted(rows: list[str], diagnose: Diagnose) -> None:
    (finding,) = about_objects(diagnose(rows))
    assert (finding.check, finding.severity) == ("object_balance", "note")
    assert finding.message == "48 training objects: 'circle' 24, 'square' 24; at most 2 in one picture"
    assert finding.details == {"objects": {"circle": 24, "square": 24}, "most_in_one_picture": 2}


def test_classes_are_counted_by_pictures_that_show_them(rows: list[str], diagnose: Diagnose) -> None:
    found = diagnose([row for row in rows if "/00.png,square" not in row])
    assert found.classes["square"]["training"] == 23 and found.classes["circle"]["training"] == 24


def test_repaired_boxes_are_all_listed_with_their_lines(rows: list[str], diagnose: Diagnose, tmp_path: Path) -> None:
    finding = the(diagnose(["images/train/00.png,circle,5,5,5,9,train\n", *rows]), "repaired_annotations")
    assert (finding.severity, finding.message) == ("warning", "boxes without area, left out: 1")
    assert finding.examples == (f"{tmp_path}/boxes.csv:2 [5, 5, 5, 9]",)


def test_a_box_that_is_there_twice_is_found(rows: list[str], diagnose: Diagnose) -> None:
    finding = the(diagnose([*rows, rows[0]]), "duplicate_boxes")
    assert finding.message == "1 box in 1 picture lie on another one of their class"
    assert "images/train/00.png ('" in finding.examples[0]


def test_pictures_without_objects_are_noted(rows: list[str], diagnose: Diagnose) -> None:
    finding = the(diagnose([*rows[2:], "images/train/00.png,,,,,,train\n"]), "without_objects")
    assert (finding.severity, finding.count) == ("note", 1)
    assert finding.message == "1 picture of 36 without any object"


def test_objects_too_small_for_the_model_are_found(rows: list[str], diagnose: Diagnose) -> None:
    finding = the(diagnose([*rows, "images/train/03.png,circle,1,1,4,60,train\n"]), "small_objects")
    assert finding.message == "1 of 73 objects are less than 4 pixels wide or high in the 64x64 that the model sees"
    assert finding.examples[0].endswith("images/train/03.png (1)")


def test_objects_that_are_cut_away_are_found(rows: list[str], diagnose: Diagnose) -> None:
    wide = "data.preprocessing.image_size=[64, 32]"
    far = [*rows, "images/train/03.png,circle,1,1,14,60,train\n"]
    found = [f for f in about_objects(diagnose(far, wide, "data.preprocessing.resize=crop")) if "vanish" in f.message]
    assert found and found[0].message.endswith("vanish, as the picture is cut or shrunk to 32x64")
    assert not [f for f in about_objects(diagnose(far, wide)) if "vanish" in f.message]


def test_many_more_objects_of_a_class_are_out_of_balance(rows: list[str], diagnose: Diagnose) -> None:
    more = [f"images/train/{n:02d}.png,circle,{x},{y},{x + 9},{y + 9},train\n" for n in range(24)
            for x, y in ((0, 0), (20, 0), (40, 0), (0, 20), (0, 40))]  # fmt: skip
    finding = the(diagnose([*rows, *more]), "object_balance")
    assert finding.severity == "warning"
    assert "out of balance: 'circle' 144, 'square' 24; at most 7 in one picture" in finding.message


def test_masks_of_another_size_and_unknown_numbers_stop_a_run_and_are_all_listed(
    rows: list[str], diagnose: Diagnose, tmp_path: Path
) -> None:
    Image.new("L", (32, 64)).save(tmp_path / "masks" / "train" / "00.png")
    Image.new("L", (64, 64), 9).save(tmp_path / "masks" / "train" / "01.png")
    found = diagnose(rows, text=MASKS)
    finding = the(found, "unreadable")
    assert not found.passed and finding.count == 2
    assert "00.png has 32x64 pixels, and the picture 64x64" in finding.examples[0]
    assert "01.png holds 9, which is no class of the source, in 4,096 pixels" in finding.examples[1]


def test_the_task_is_asked_about_what_the_model_sees(rows: list[str], diagnose: Diagnose) -> None:
    """A picture has a second box, which cropping takes away, and the task takes one."""
    crop = ("task.max_boxes=1", "data.preprocessing.image_size=[64, 32]", "data.preprocessing.resize=crop")
    one_each = [*rows[::2], "images/train/03.png,circle,1,1,14,60,train\n"]
    found = diagnose(one_each, *crop)
    assert not [finding for finding in found.findings if finding.check == "unusable"]


def test_classes_of_few_pixels_are_noted(rows: list[str], diagnose: Diagnose, tmp_path: Path) -> None:
    assert not [f for f in diagnose(rows, text=MASKS).findings if f.check == "pixel_balance"]
    for file in (tmp_path / "masks" / "train").glob("*.png"):
        mask = np.array(Image.open(file))
        mask[mask == 2] = 0
        mask[:3, :3] = 2
        Image.fromarray(mask).save(file)
    finding = the(diagnose(rows, text=MASKS), "pixel_balance")
    assert finding.message == "1 class covers less than 1% of the training pixels: 'square' (0.22%)"


def test_the_sheet_shows_boxes_before_and_after_augmentation(
    rows: list[str], diagnose: Diagnose, tmp_path: Path
) -> None:
    found = diagnose(rows, picture=tmp_path / "sheet.png")
    assert found.sheet == tmp_path / "sheet.png"
    counts = {color: count for count, color in Image.open(found.sheet).getcolors(1_000_000)}
    assert min(counts[color_of(0)], counts[color_of(1)]) > 2000, "more than the squares beside the names"


def overlapping(random: np.random.Generator) -> np.ndarray:
    corner, sides = random.uniform(0, 20, (40, 2)), random.uniform(5, 30, (40, 2))
    boxes = np.concatenate([corner, corner + sides], 1)
    return np.concatenate([boxes, boxes[:10] + random.uniform(0, 1, (10, 4))]).astype(np.float32)


def test_same_boxes_are_those_of_a_loop_over_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnpipe.diagnosis.duplicate_boxes.AT_ONCE", 7)
    random = np.random.default_rng(0)
    boxes, labels = overlapping(random), random.integers(0, 2, 50)
    wanted = []
    for first in range(50):
        for second in range(first + 1, 50):
            a, b = boxes[first].astype(float), boxes[second].astype(float)
            common = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
            union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common
            if labels[first] == labels[second] and common / union >= 0.9:
                wanted.append((first, second))
    assert wanted and sorted(same_boxes(boxes, labels)) == wanted


def test_crowds_are_counted(tmp_path: Path, rows: list[str], diagnose: Diagnose) -> None:
    import json

    box: dict[str, Any] = {"category_id": 1, "bbox": [1, 1, 30, 30]}
    files = sorted((tmp_path / "images" / "train").glob("*.png"))
    content = {
        "categories": [{"id": 1, "name": "circle"}],
        "images": [{"id": n, "file_name": file.name, "width": 64, "height": 64} for n, file in enumerate(files)],
        "annotations": [{**box, "id": n, "image_id": n, "iscrowd": int(n < 3)} for n in range(len(files))],
    }
    (tmp_path / "coco.json").write_text(json.dumps(content))
    source = "{type: coco, training: {annotations: coco.json, images: images/train}}"
    text = BOXES.replace("{type: csv_boxes, path: boxes.csv, split_column: split}", source)
    finding = the(diagnose(rows, text=text), "crowds")
    assert finding.message == "3 objects in 3 pictures marked as crowds"
