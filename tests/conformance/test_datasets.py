"""Every source of examples answers the same questions in the same way."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as pillow

from cnnpipe.datasets import IGNORED, ROOM, SPLITS, Dataset
from cnnpipe.preprocessing.image import Image

MADE: dict[str, dict[str, Any]] = {
    "coco": {"training": {"annotations": "coco.json", "images": "photos"}},
    "csv": {"path": "photos/photos.csv"},
    "csv_boxes": {"path": "photos/boxes.csv"},
    "digits": {},
    "idx": {"training": {"images": "images.idx", "labels": "labels.idx"}},
    "image_folder": {"path": "photos"},
    "mask_folder": {"path": "masked", "classes": ("circle", "square")},
    "numpy": {"path": "arrays.npz"},
    "pascal_voc": {"path": "voc", "images": "../photos"},
    "synthetic_shapes": {"examples": 12},
    "tfds": {"name": "own", "data_dir": "."},
    "yolo": {"path": "data.yaml"},
}
"""What each source is called with; files are made by the fixture."""
WITH_ALL_KEYS: dict[str, dict[str, Any]] = {
    "coco": {"masks": True},
    "mask_folder": {"path": "instances", "classes": ("circle",), "mask_type": "instances"},
    "yolo": {"path": "polygons.yaml", "masks": True},
}
"""What sources are called with besides, so that they give all their keys."""
NOT_AT_ONCE: dict[str, list[dict[str, Any]]] = {
    "tfds": [{"box_key": "objects/bbox"}, {"mask_key": "mask", "mask_classes": ("cat",)}]
}
"""Sources that give all their keys, but not all with the same settings."""
NAMES = ROOM.names()
CASES = [(name, {}) for name in NAMES] + list(WITH_ALL_KEYS.items()) + [("synthetic_shapes", {"objects": (0, 4)})]
BOX = (5, 6, 25, 26)


def test_all_are_seen() -> None:
    assert set(NAMES) == set(MADE)


@pytest.fixture
def folder(tmp_path: Path, make_photos: Callable[..., Path], write_prepared: Callable[..., None]) -> Path:
    """Every kind of data of the same seven photos, 80x60, with one box each."""
    photos = make_photos(tmp_path / "photos", {"circle": 3, "square": 4})
    files = sorted(photos.rglob("*.jpg"))
    classes = {file: file.parent.name for file in files}
    names = {file: file.relative_to(photos).as_posix() for file in files}
    (photos / "photos.csv").write_text("image,label\n" + "".join(f"{names[file]},{classes[file]}\n" for file in files))
    boxes = "".join(f"{names[file]},{classes[file]},5,6,25,26\n" for file in files)
    (photos / "boxes.csv").write_text("image,label,xmin,ymin,xmax,ymax\n" + boxes)
    _write_coco(tmp_path / "coco.json", names, classes)
    _write_yolo(tmp_path, files, classes)
    for file in files:
        xml = tmp_path / "voc" / "Annotations" / f"{names[file].removesuffix('.jpg')}.xml"
        xml.parent.mkdir(parents=True, exist_ok=True)
        sides = "".join(f"<{side}>{n}</{side}>" for side, n in zip(("xmin", "ymin", "xmax", "ymax"), BOX, strict=True))
        name = f"<name>{classes[file]}</name>"
        xml.write_text(f"<annotation><object>{name}<bndbox>{sides}</bndbox></object></annotation>")
        for kind, value in (("masked", 1 + (classes[file] == "square")), ("instances", 7)):
            mask = np.zeros((60, 80), np.uint8)
            mask[BOX[1] : BOX[3], BOX[0] : BOX[2]] = value
            (tmp_path / kind / "masks").mkdir(parents=True, exist_ok=True)
            (tmp_path / kind / "images").mkdir(exist_ok=True)
            flat = names[file].replace("/", "-").removesuffix(".jpg")
            pillow.fromarray(mask).save(tmp_path / kind / "masks" / f"{flat}.png")
            (tmp_path / kind / "images" / f"{flat}.jpg").write_bytes(file.read_bytes())
    pictures = [file.read_bytes() for file in files]
    write_prepared(tmp_path, "own", {"train": [(picture, [1]) for picture in pictures]}, ("circle", "square"))
    images, labels = np.arange(7 * 9 * 8, dtype=np.uint8).reshape(7, 9, 8), np.arange(7, dtype=np.uint8) % 2
    np.savez(tmp_path / "arrays.npz", x=images, y=labels)
    for name, array in (("images", images), ("labels", labels)):
        header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
        (tmp_path / f"{name}.idx").write_bytes(header + array.tobytes())
    return tmp_path


def _write_coco(file: Path, names: dict[Path, str], classes: dict[Path, str]) -> None:
    left, top, right, bottom = BOX
    polygon = [left, top, right, top, right, bottom, left, bottom]
    content = {
        "categories": [{"id": 3, "name": "circle"}, {"id": 9, "name": "square"}],
        "images": [{"id": n, "file_name": name, "width": 80, "height": 60} for n, name in enumerate(names.values())],
        "annotations": [
            {
                "id": n, "image_id": n, "category_id": 9 if label == "square" else 3, "iscrowd": 0,
                "bbox": [left, top, right - left, bottom - top], "segmentation": [polygon],
            }
            for n, label in enumerate(classes.values())
        ],
    }  # fmt: skip
    file.write_text(json.dumps(content))


def _write_yolo(folder: Path, files: list[Path], classes: dict[Path, str]) -> None:
    left, top, right, bottom = (n / side for n, side in zip(BOX, (80, 60, 80, 60), strict=True))
    rows = {
        "data": f"{(left + right) / 2} {(top + bottom) / 2} {right - left} {bottom - top}",
        "polygons": f"{left} {top} {right} {top} {right} {bottom} {left} {bottom}",
    }
    for name, row in rows.items():
        (folder / f"{name}.yaml").write_text(f"path: {name}\ntrain: images\nnames: [circle, square]\n")
        for number, file in enumerate(files):
            for kind, ending in (("images", "jpg"), ("labels", "txt")):
                path = folder / name / kind / f"{number}.{ending}"
                path.parent.mkdir(parents=True, exist_ok=True)
                text = f"{int(classes[file] == 'square')} {row}\n".encode()
                path.write_bytes(text if kind == "labels" else file.read_bytes())


def opened(name: str, more: dict[str, Any], folder: Path) -> tuple[Dataset, Any]:
    source = ROOM.load(name).model_validate({**MADE[name], **more})
    assert isinstance(source, Dataset)
    return source, source.open(folder)


@pytest.mark.parametrize(("name", "more"), CASES)
def test_examples_are_what_the_contract_says(name: str, more: dict[str, Any], folder: Path) -> None:
    source, found = opened(name, more, folder)
    names = [example.name for example in found.examples]
    assert len(names) == len(set(names)) > 0
    assert found.class_names is not None and len(set(found.class_names)) == len(found.class_names)
    assert source.class_names() in (None, found.class_names)
    for example in found.examples[:20]:
        raw = example.read()
        assert set(raw) == set(source.gives())
        labels = raw["labels"] if isinstance(raw["labels"], tuple) else (raw["labels"],)
        assert set(labels) <= set(found.class_names)
        assert example.split is None or example.split in SPLITS
        assert isinstance(raw["images"], bytes) or example.file is None
        assert Image(image_size=(8, 8)).apply(raw["images"]).shape == (8, 8, 3)


@pytest.mark.parametrize("name", NAMES)
def test_all_keys_can_be_had(name: str, folder: Path) -> None:
    if name in NOT_AT_ONCE:
        sources = [ROOM.load(name).model_validate({**MADE[name], **more}) for more in NOT_AT_ONCE[name]]
        assert frozenset().union(*(source.gives() for source in sources)) == sources[0].keys
        return
    source, _ = opened(name, WITH_ALL_KEYS.get(name, {}), folder)
    assert source.gives() == source.keys
    assert bool(source.more_keys_with) == (name in WITH_ALL_KEYS)


@pytest.mark.parametrize(("name", "more"), CASES)
def test_boxes_and_masks_are_what_the_contract_says(name: str, more: dict[str, Any], folder: Path) -> None:
    _, found = opened(name, more, folder)
    for example in found.examples[:20]:
        raw = example.read()
        height, width = Image(image_size=(8, 8)).placement(raw["images"]).size
        count = len(found.class_names)
        labels: list[int] = []
        if boxes := raw.get("bounding_boxes"):
            corners, labels = boxes["boxes"], boxes["labels"].tolist()
            assert (corners.dtype, boxes["labels"].dtype) == (np.float32, np.int32)
            assert corners.shape == (len(labels), 4) and set(labels) <= set(range(count))
            assert (corners >= 0).all() and (corners <= (width, height, width, height)).all()
            assert (corners[:, 2:] > corners[:, :2]).all()
            assert "crowd" not in boxes or (boxes["crowd"].dtype, boxes["crowd"].shape) == (bool, (len(labels),))
            if example.file is not None:
                np.testing.assert_allclose(corners, [BOX], atol=1e-3)
        if (classes := raw.get("segmentation_masks")) is not None:
            assert classes.dtype == np.uint8 and classes.shape == (height, width)
            assert set(np.unique(classes).tolist()) <= {*range(count + 1), IGNORED}
            if example.file is not None:
                assert classes[BOX[1] : BOX[3], BOX[0] : BOX[2]].all() and (classes > 0).sum() == 400
        if (instances := raw.get("instance_masks")) is not None:
            assert instances.dtype == np.int32 and instances.shape == (height, width)
            assert set(np.unique(instances).tolist()) <= set(range(len(labels) + 1))
            assert np.array_equal(np.array([0, *(label + 1 for label in labels)])[instances], classes)


@pytest.mark.parametrize(("name", "more"), CASES)
def test_reading_again_gives_the_same(name: str, more: dict[str, Any], folder: Path) -> None:
    (_, first), (_, again) = (opened(name, more, folder) for _ in range(2))
    for a, b in zip(first.examples, again.examples, strict=True):
        assert (a.name, a.split, a.file) == (b.name, b.split, b.file)
        raw, raw_again = a.read(), b.read()
        for key in ("images", "segmentation_masks", "instance_masks"):
            assert np.array_equal(np.asarray(raw.get(key)), np.asarray(raw_again.get(key)))
