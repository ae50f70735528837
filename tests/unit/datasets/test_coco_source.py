"""COCO's JSON: boxes, polygons, run lengths of both kinds, crowds; what is wrong is told with where it stands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnpipe.datasets import Examples
from cnnpipe.datasets.coco import Coco

SQUARE = [[10, 10, 20, 10, 20, 20, 10, 20]]
Write = Callable[..., dict[str, Any]]


def annotation(**changes: Any) -> dict[str, Any]:
    item = {"image_id": 7, "category_id": 2, "bbox": [10, 10, 10, 10], "iscrowd": 0, "segmentation": SQUARE}
    return {key: value for key, value in {**item, **changes}.items() if value is not None}


@pytest.fixture
def write(tmp_path: Path, picture: Callable[..., Path]) -> Write:
    """Return a function that writes a JSON file of one picture, 40x30, and returns the fields of its source."""

    def make(*annotations: Any, split: str = "training", masks: bool = True, **changes: Any) -> dict[str, Any]:
        picture(tmp_path / "photos" / "a.png")
        content = {
            "images": [{"id": 7, "file_name": "a.png", "width": 40, "height": 30}],
            "categories": [{"id": 5, "name": "dog"}, {"id": 2, "name": "cat"}],
            "annotations": list(annotations),
            **changes,
        }
        (tmp_path / f"{split}.json").write_text(json.dumps(content))
        return {split: {"annotations": f"{split}.json", "images": "photos"}, "masks": masks}

    return make


@pytest.fixture
def opened(tmp_path: Path, write: Write) -> Callable[..., Examples]:
    return lambda *annotations, **options: Coco.model_validate(write(*annotations, **options)).open(tmp_path)


def test_classes_stand_in_the_order_of_their_ids(opened: Callable[..., Examples]) -> None:
    found = opened(annotation(category_id=5), annotation())
    assert found.class_names == ("cat", "dog")
    raw = found.examples[0].read()
    assert raw["bounding_boxes"]["labels"].tolist() == [1, 0]
    assert raw["bounding_boxes"]["boxes"].tolist() == [[10, 10, 20, 20]] * 2
    assert raw["bounding_boxes"]["crowd"].tolist() == [False, False]
    assert found.examples[0].split == "training"


def test_masks_are_made_only_where_they_are_wanted(opened: Callable[..., Examples]) -> None:
    raw = opened(annotation(segmentation=None), masks=False).examples[0].read()
    assert set(raw) == {"images", "labels", "bounding_boxes"}


def test_polygons_and_both_kinds_of_run_lengths_are_the_same(opened: Callable[..., Examples]) -> None:
    from pycocotools import mask as library

    mask = np.zeros((30, 40), np.uint8)
    mask[10:20, 10:20] = 1
    flat = mask.T.reshape(-1)
    edges = np.flatnonzero(np.diff(flat, prepend=0, append=0))
    counts = np.diff([0, *edges.tolist(), flat.size]).tolist()
    compressed = library.encode(np.asfortranarray(mask))["counts"].decode()
    for outline in (SQUARE, {"size": [30, 40], "counts": counts}, {"size": [30, 40], "counts": compressed}):
        raw = opened(annotation(segmentation=outline)).examples[0].read()
        assert np.array_equal(raw["instance_masks"], mask) and np.array_equal(raw["segmentation_masks"], mask)


def test_compressed_run_lengths_are_those_of_the_library(opened: Callable[..., Examples]) -> None:
    from pycocotools import mask as library

    for seed, share in ((0, 0.5), (1, 0.02), (2, 0.98), (3, 0.0), (4, 1.0)):
        mask = (np.random.default_rng(seed).random((30, 40)) < share).astype(np.uint8)
        counts = library.encode(np.asfortranarray(mask))["counts"].decode()
        raw = opened(annotation(segmentation={"size": [30, 40], "counts": counts})).examples[0].read()
        assert np.array_equal(raw["instance_masks"], mask)


def test_the_smaller_instance_is_seen_and_crowds_lie_below(opened: Callable[..., Examples]) -> None:
    large = [[0, 0, 40, 0, 40, 30, 0, 30]]
    found = opened(
        annotation(), annotation(segmentation=large, category_id=5),
        annotation(segmentation=[[0, 0, 4, 0, 4, 4, 0, 4]], iscrowd=1),
    )  # fmt: skip
    raw = found.examples[0].read()
    assert raw["instance_masks"][15, 15] == 1 and raw["instance_masks"][25, 30] == 2 == raw["instance_masks"][1, 1]
    assert raw["segmentation_masks"][15, 15] == 1 and raw["segmentation_masks"][25, 30] == 2
    assert raw["bounding_boxes"]["crowd"].tolist() == [False, False, True]


def test_masks_follow_the_rows_when_a_box_is_left_out(opened: Callable[..., Examples], tmp_path: Path) -> None:
    found = opened(annotation(bbox=[3, 3, 0, 5]), annotation())
    assert found.repairs == {
        "boxes without area, left out": (f"{tmp_path}/training.json: annotations[0] [3, 3, 3, 8]",)
    }
    raw = found.examples[0].read()
    assert len(raw["bounding_boxes"]["boxes"]) == 1 == raw["instance_masks"].max()


def test_a_picture_without_objects_is_an_example(opened: Callable[..., Examples]) -> None:
    raw = opened().examples[0].read()
    assert raw["labels"] == () and raw["bounding_boxes"]["boxes"].shape == (0, 4) and not raw["instance_masks"].any()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"image_id": 8}, "there is no image with the id 8"),
        ({"category_id": 9}, "there is no category with the id 9 (there are 2, 5)"),
        ({"bbox": None}, "it needs 'bbox'"),
        ({"bbox": [1, 2, "3", 4]}, "the bbox must be left, top, width and height (received [1, 2, '3', 4])"),
        ({"iscrowd": 2}, "iscrowd must be 0 or 1 (received 2)"),
        ({"segmentation": None}, "the segmentation must be polygons of three or more points, or run lengths"),
        ({"segmentation": [[1, 2, 3, 4]]}, "the segmentation must be polygons of three or more points, or run lengths"),
    ],
)
def test_what_is_wrong_with_an_object_is_told(
    write: Write, problems: Callable[..., str], changes: dict[str, Any], expected: str
) -> None:
    fields = write(annotation(), {**annotation(), **changes} if None not in changes.values() else annotation(**changes))
    assert problems(Coco, fields) == f"training.json: annotations[1]: {expected}."


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"images": [{"id": "7"}]}, "images[0]: the id must be a whole number (received '7')."),
        ({"images": [{"id": 7, "file_name": "b.png", "width": 40, "height": 0}]},
         "image 7: width and height must be whole numbers above 0 (received [40, 0]).\n"
         "training.json: image 7: there is no picture photos/b.png."),
        ({"categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "a"}]},
         "categories: every category needs a name of its own."),
        ({"categories": {}}, "it has no list categories. Is this a file of the instances? Those of captions, results "
         "and panoptic masks are others."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_told(
    write: Write, problems: Callable[..., str], changes: dict[str, Any], expected: str
) -> None:
    assert problems(Coco, write(**changes)) == f"training.json: {expected}"


def test_text_that_is_no_json_is_told_with_its_line(write: Write, problems: Callable[..., str], tmp_path: Path) -> None:
    fields = write()
    (tmp_path / "training.json").write_text('{"images": [],\n "categories": oops}')
    assert problems(Coco, fields) == "training.json:2:16: this is no JSON (Expecting value)."


def test_splits_must_have_the_same_categories(write: Write, problems: Callable[..., str]) -> None:
    fields = write(annotation()) | write(split="test", categories=[{"id": 2, "name": "cow"}])
    assert problems(Coco, fields) == "data.source: training.json and test.json have other categories."


def test_a_picture_of_another_size_cannot_be_read(write: Write, tmp_path: Path, picture: Callable[..., Path]) -> None:
    source = Coco.model_validate(write(annotation()))
    (example,) = source.open(tmp_path).examples
    picture(tmp_path / "photos" / "a.png", 30, 40)
    with pytest.raises(ValueError, match="it has 30x40 pixels, and its annotations are for 40x30"):
        example.read()


@pytest.mark.parametrize("counts", [[10, 10], [1300, -100], "000"])
def test_damaged_run_lengths_cannot_be_read(opened: Callable[..., Examples], counts: Any) -> None:
    (example,) = opened(annotation(segmentation={"size": [30, 40], "counts": counts})).examples
    with pytest.raises(ValueError, match="run lengths cover"):
        example.read()


@pytest.mark.real_data
def test_run_lengths_of_nuclei_are_their_label_images(real_data: Path) -> None:
    from PIL import Image

    folder = real_data / "dsb2018-nuclei-256" / "val"
    part = {"annotations": str(folder / "instances.json"), "images": str(folder / "images")}
    found = Coco.model_validate({"training": part, "masks": True}).open(real_data)
    assert (len(found.examples), found.class_names, found.told()) == (51, ("nucleus",), ())
    total = 0
    for example in found.examples:
        raw = example.read()
        total += len(raw["bounding_boxes"]["boxes"])
        labels = np.asarray(Image.open(folder / "labels" / example.name))
        assert np.array_equal(raw["instance_masks"] > 0, labels > 0)
    assert total == 1397
