"""What every run tells of its data before it begins."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from cnnpipe.bundle.workers import Workers
from cnnpipe.events import Listener
from cnnpipe.jobs import fitting
from cnnpipe.recipe.load import load_recipe

RECIPE = """\
task: {type: image_classification}
data:
  source: {type: image_folder, path: photos}
  preprocessing: {image_size: [16, 16]}
model: {blocks: [{type: conv_relu_pool, filters: 2}]}
training: {epochs: 1}
"""
SPLITS = {"train": (25, 25), "val": (6, 6), "test": (6, 6)}


def notes_of(recipe: Path) -> list[str]:
    notes = fitting.Notes(Listener())
    with Workers() as workers:
        fitting.prepare(load_recipe(recipe), workers, notes, recipe.parent / "runs", dry=False)
    return notes.texts


def test_a_run_tells_what_is_wrong_with_its_data(tmp_path: Path, make_photos: Callable[..., Path]) -> None:
    for seed, (split, (circles, squares)) in enumerate(SPLITS.items()):
        make_photos(tmp_path / "photos" / split, {"circle": circles, "square": squares}, size=(16, 16), seed=seed + 1)
    recipe = tmp_path / "small.yaml"
    recipe.write_text(RECIPE, encoding="utf-8")
    assert not [note for note in notes_of(recipe) if "doctor" in note or note.startswith("data.source")]

    training = tmp_path / "photos" / "train"
    for number in range(5, 25):
        (training / "square" / f"{number}.jpg").unlink()
    shutil.copy(training / "circle" / "0.jpg", training / "circle" / "again.jpg")
    assert notes_of(recipe)[-4:] == [
        "data.source: classes are out of balance: 'circle' has 26 training examples, 'square' 5.",
        "data.source: 1 class with fewer than 20 training examples: 'square' (5).",
        "data.source: 1 of 31 training examples are exact copies of others there.",
        f"cnnpipe doctor {recipe} says what to do about the data, and looks closer",
    ]
