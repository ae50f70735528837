"""Every source of examples answers the same questions in the same way."""

from __future__ import annotations

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
    "image_folder": {"path": "photos"},
    "synthetic_shapes": {"examples": 12},
}
"""What each source is called with; files are made by the fixture."""
NAMES = ROOM.names()


def test_all_are_seen() -> None:
    assert set(NAMES) == set(MADE)


@pytest.fixture
def folder(tmp_path: Path, make_photos: Callable[..., Path]) -> Path:
    photos = make_photos(tmp_path / "photos", {"circle": 3, "square": 4})
    rows = [f"{file.relative_to(photos).as_posix()},{file.parent.name}\n" for file in sorted(photos.rglob("*.jpg"))]
    (photos / "photos.csv").write_text("image,label\n" + "".join(rows))
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
        assert isinstance(raw["images"], bytes) == (example.file is not None)
        assert Image(image_size=(8, 8)).apply(raw["images"]).shape == (8, 8, 3)


@pytest.mark.parametrize("name", NAMES)
def test_reading_again_gives_the_same(name: str, folder: Path) -> None:
    source = ROOM.load(name).model_validate(MADE[name])
    assert isinstance(source, Dataset)
    first, again = (source.open(folder).examples for _ in range(2))
    for a, b in zip(first, again, strict=True):
        assert (a.name, a.split, a.file) == (b.name, b.split, b.file)
        assert np.array_equal(np.asarray(a.read()["images"]), np.asarray(b.read()["images"]))
