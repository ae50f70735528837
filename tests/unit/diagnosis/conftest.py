"""Folders of pictures with a fault, and what the doctor finds there."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cnnpipe.diagnosis import Finding
from cnnpipe.jobs.doctor import Diagnosis, doctor

Photos = Callable[..., Path]
Diagnose = Callable[..., Diagnosis]

RECIPE = """\
task: {type: image_classification}
data:
  source: {type: image_folder, path: photos}
  preprocessing: {image_size: [32, 32]}
model: {blocks: [{type: conv_relu_pool, filters: 2}]}
training: {epochs: 1}
"""
COUNTS = {"train": 20, "val": 5, "test": 5}


@pytest.fixture(scope="session")
def clean_photos(tmp_path_factory: pytest.TempPathFactory, make_photos: Photos) -> Path:
    """A clean folder: two classes in three splits, 96x96, each picture another."""
    folder = tmp_path_factory.mktemp("clean")
    for seed, (split, count) in enumerate(COUNTS.items()):
        make_photos(folder / split, {"circle": count, "square": count}, size=(96, 96), seed=seed + 1)
    return folder


@pytest.fixture
def photos(tmp_path: Path, clean_photos: Path) -> Path:
    """A copy of the clean folder, to be spoiled."""
    return Path(shutil.copytree(clean_photos, tmp_path / "photos"))


@pytest.fixture
def diagnose(tmp_path: Path) -> Diagnose:
    """Return a function that lets the doctor look at `photos` with changes of the recipe."""

    def run(*overrides: str, picture: Path | None = None) -> Diagnosis:
        (tmp_path / "small.yaml").write_text(RECIPE, encoding="utf-8")
        return doctor(tmp_path / "small.yaml", overrides, tmp_path / "runs", picture)

    return run


def findings_of(found: Diagnosis, check: str) -> list[Finding]:
    """Return what one file of the room found."""
    return [finding for finding in found.findings if finding.check == check]
