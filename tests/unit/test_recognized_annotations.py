"""What `new` makes of folders and files with boxes and masks: the source that reads them, and what it decided."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnpipe.errors import ProblemError
from cnnpipe.inspection import describe_folder
from cnnpipe.registry import room

BOXES = frozenset({"images", "bounding_boxes"})
MASKS = frozenset({"images", "segmentation_masks"})


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, Any], Path]:
    """Return a function that writes text, or pixels, into a file of the folder, and returns the folder."""

    def make(name: str, content: Any) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            file.write_text(content)
        else:
            Image.fromarray(np.asarray(content, np.uint8)).save(file)
        return tmp_path

    return make


def described(path: Path, needs: frozenset[str]) -> dict[str, Any]:
    """Return what is found, after proof that the source can be opened as the recipe will say it."""
    found = describe_folder(path, needs)
    fields = {key: value for key, value in found["source"].items()}
    source = room("datasets").load(fields["type"]).model_validate(fields)
    assert needs <= source.gives()
    assert len(source.open(Path()).examples) == found["examples"] > 0
    return found


def picture(height: int = 6, width: int = 8) -> np.ndarray:
    return np.full((height, width, 3), 90)


def coco(file_name: str = "a.png") -> str:
    square = [[1, 1, 4, 1, 4, 4, 1, 4]]
    item = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 3, 3], "segmentation": square}
    images = [{"id": 1, "file_name": file_name, "width": 8, "height": 6}]
    return json.dumps({"images": images, "annotations": [item], "categories": [{"id": 1, "name": "cat"}]})


def test_a_folder_of_pascal_voc(write: Callable[..., Path]) -> None:
    box = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>4</xmax><ymax>4</ymax></bndbox>"
    write("Annotations/a.xml", f"<annotation><object><name>cat</name>{box}</object></annotation>")
    found = described(write("JPEGImages/a.png", picture()), BOXES)
    assert (found["source"]["type"], found["class_names"], found["image_size"]) == ("pascal_voc", ("cat",), (6, 8))
    assert found["most_boxes"] == 1


@pytest.mark.parametrize(
    ("annotations", "images"),
    [("train/instances.json", "train/images"), ("train/_annotations.coco.json", "train"),
     ("annotations/instances_train2017.json", "train2017"), ("labels.json", "images")],
)  # fmt: skip
@pytest.mark.parametrize("needs", [BOXES, MASKS])
def test_json_files_of_coco(write: Callable[..., Path], annotations: str, images: str, needs: frozenset[str]) -> None:
    write(f"{images}/a.png", picture())
    folder = write(annotations, coco())
    found = described(folder, needs)["source"]
    assert found["training"] == {"annotations": str(folder / annotations), "images": str(folder / images)}
    assert found.get("masks", False) == (needs == MASKS)
    assert described(folder / annotations, needs)["source"] == found


def test_splits_of_coco(write: Callable[..., Path]) -> None:
    for split in ("train", "valid", "test"):
        write(f"{split}/a.png", picture())
        folder = write(f"{split}/_annotations.coco.json", coco())
    found = described(folder, BOXES)
    assert {"training", "validation", "test"} <= set(found["source"]) and found["examples"] == 3


def test_a_folder_of_yolo(write: Callable[..., Path]) -> None:
    write("images/train/a.png", picture())
    write("labels/train/a.txt", "0 0.5 0.5 0.2 0.2\n")
    folder = write("data.yaml", "train: images/train\nnames: [cat]\n")
    assert described(folder, BOXES)["source"] == {"type": "yolo", "path": str(folder / "data.yaml")}
    assert described(folder / "data.yaml", BOXES)["class_names"] == ("cat",)


@pytest.mark.parametrize(
    ("header", "box_format"),
    [
        ("filename,class,xmin,ymin,xmax,ymax", "xyxy"),
        ("image,label,x1,y1,x2,y2", "xyxy"),
        ("Image,Label,X,Y,W,H", "xywh"),
    ],
)
def test_tables_of_boxes(write: Callable[..., Path], header: str, box_format: str) -> None:
    write("a.png", picture())
    folder = write("boxes.csv", f"{header}\na.png,cat,1,1,4,4\n")
    found = described(folder / "boxes.csv", BOXES)["source"]
    assert found["type"] == "csv_boxes" and found.get("box_format", "xyxy") == box_format


def test_masks_of_numbers(write: Callable[..., Path]) -> None:
    write("images/a.png", picture())
    found = described(write("masks/a_m.png", [[0, 1, 255, 3, 0, 0, 0, 0]] * 6), MASKS)
    assert found["source"]["classes"] == {"class_1": 1, "class_3": 3} and found["source"]["ignore"] == 255
    assert found["source"]["mask_suffix"] == "_m"
    assert found["notes"] == (
        "Masks hold the numbers 1, 3, 255, and no names: call the classes by theirs in data.source.classes and "
        "task.classes.",
        "The number 255 was taken for pixels that count nowhere.",
    )


def test_masks_of_black_and_white(write: Callable[..., Path]) -> None:
    write("train/images/a.png", picture())
    found = described(write("train/masks/a.png", [[0, 255] * 4] * 6), MASKS)
    assert found["source"]["classes"] == {"class_255": 255} and "ignore" not in found["source"]


def test_masks_of_colours(write: Callable[..., Path]) -> None:
    write("images/a.png", picture())
    found = described(write("labels/a.png", [[(0, 0, 0), (255, 0, 0)] * 4] * 6), MASKS)
    assert found["source"]["classes"] == {"class_1": (255, 0, 0)} and found["source"]["masks"] == "labels"


def test_masks_of_instances(write: Callable[..., Path]) -> None:
    for count in range(1, 8):
        write(f"images/{count}.png", picture())
        folder = write(f"masks/{count}.png", [[min(column, count) for column in range(8)]] * 6)
    for needs in (MASKS, BOXES):
        found = described(folder, needs)
        assert (found["source"]["mask_type"], found["class_names"]) == ("instances", ("object",))
        assert "each anew, so these were taken for instances" in found["notes"][0]


def test_what_gives_nothing_of_the_kind_is_told(write: Callable[..., Path]) -> None:
    folder = write("cats/a.png", picture())
    with pytest.raises(ProblemError, match=r"holds nothing that gives bounding_boxes. It may be COCO's JSON file"):
        describe_folder(folder, BOXES)
    with pytest.raises(ProblemError, match="does not exist"):
        describe_folder(folder / "dogs", BOXES)
