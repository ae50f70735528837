"""Every source of examples answers the same questions in the same way."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnpipe.datasets import ROOM, SPLITS, Dataset
from cnnpipe.preprocessing.image import Image

MADE: dict[str, dict[str, Any]] = {
    "csv": {"path": "photos/photos.csv"},
    "digits": {},
    "idx": {"training": {"images": "images.idx", "labels": "labels.idx"}},
    "image_folder": {"path": "photos"},
    "numpy": {"path": "arrays.npz"},
    "synthetic_shapes": {"examples": 12},
    "tfds": {"name": "own", "data_dir": "."},
}
"""What each source is called with; files are made by the fixture."""
NAMES = ROOM.names()


def test_all_are_seen() -> None:
    assert set(NAMES) == set(MADE)


@pytest.fixture
def folder(tmp_path: Path, make_photos: Callable[..., Path], write_prepared: Callable[..., None]) -> Path:
    photos = make_photos(tmp_path / "photos", {"circle": 3, "square": 4})
    rows = [f"{file.relative_to(photos).as_posix()},{file.parent.name}\n" for file in sorted(photos.rglob("*.jpg"))]
    (photos / "photos.csv").write_text("image,label\n" + "".join(rows))
    pictures = [file.read_bytes() for file in sorted(photos.rglob("*.jpg"))]
    write_prepared(tmp_path, "own", {"train": [(picture, [1]) for picture in pictures]}, ("circle", "square"))
    images, labels = np.arange(7 * 9 * 8, dtype=np.uint8).reshape(7, 9, 8), np.arange(7, dtype=np.uint8) % 2
    np.savez(tmp_path / "arrays.npz", x=images, y=labels)
    for name, array in (("images", images), ("labels", labels)):
        header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
        (tmp_path / f"{name}.idx").write_bytes(header + array.tobytes())
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_examples_are_what_the_contract_says(name: str, folder: Path) -> None:
    source = ROOM.load(name).model_validate(MADE[name])
    assert isinstance(source, Dataset)
    found = source.open(folder)
    names = [example.name for example in found.examples]
    assert len(names) == len(set(names)) > 0
    assert found.class_names is not None and len(set(found.class_names)) == len(found.class_names)
    assert source.class_names() in (None, found.class_names)
    for example in found.examples[:20]:
        raw = example.read()
        assert set(raw) == set(source.keys)
        assert raw["labels"] in found.class_names
        assert example.split is None or example.split in SPLITS
        assert isinstance(raw["images"], bytes) or example.file is None
        assert Image(image_size=(8, 8)).apply(raw["images"]).shape == (8, 8, 3)


@pytest.mark.parametrize("name", NAMES)
def test_reading_again_gives_the_same(name: str, folder: Path) -> None:
    source = ROOM.load(name).model_validate(MADE[name])
    assert isinstance(source, Dataset)
    first, again = (source.open(folder).examples for _ in range(2))
    for a, b in zip(first, again, strict=True):
        assert (a.name, a.split, a.file) == (b.name, b.split, b.file)
        assert np.array_equal(np.asarray(a.read()["images"]), np.asarray(b.read()["images"]))
