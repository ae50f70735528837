"""From a recipe to arrays: what is read, where it goes, and what is said when it cannot be."""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as pillow

from cnnpipe import reading
from cnnpipe.data import LoadedData, exact_inputs, load_data, read_inputs
from cnnpipe.datasets import Example, Examples
from cnnpipe.datasets.digits import Digits
from cnnpipe.errors import ProblemError
from cnnpipe.events import Listener
from cnnpipe.preprocessing.image import Image
from cnnpipe.recipe.load import load_recipe

Load = Callable[..., LoadedData]
Photos = Callable[..., Path]


class Notes(Listener):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.steps: list[tuple[int, int]] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def progress(self, done: int, total: int, values: Any) -> None:
        self.steps.append((done, total))


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Return a function that writes a recipe on `photos/` or another source and loads its data."""

    def run(source: Any = None, overrides: Sequence[str] = (), listener: Listener | None = None) -> LoadedData:
        recipe = {
            "task": {"type": "image_classification"},
            "data": {
                "source": source or {"type": "image_folder", "path": "photos"},
                "preprocessing": {"image_size": [12, 16]},
            },
            "model": {"blocks": ["flatten"]},
            "training": {"epochs": 1},
        }
        file = tmp_path / "recipe.yaml"
        file.write_text(json.dumps(recipe, indent=1))
        return load_data(load_recipe(file, overrides), listener or Listener())

    return run


def problems(load: Load, *arguments: Any) -> str:
    with pytest.raises(ProblemError) as caught:
        load(*arguments)
    return str(caught.value)


@pytest.fixture
def photos(tmp_path: Path, make_photos: Photos) -> Path:
    return make_photos(tmp_path / "photos", {"circle": 30, "square": 40})


def read(loaded: LoadedData, split: str) -> Callable[[bytes], np.ndarray]:
    """Return what files of a split are read by: those for training may be read faster."""
    preprocessing = loaded.facts.preprocessing
    return preprocessing.apply_for_training if split == "training" else preprocessing.apply


def test_all_examples_arrive_in_their_split(load: Load, photos: Path) -> None:
    heard = Notes()
    loaded = load(listener=heard)
    assert set(loaded.membership) == {file.relative_to(photos).as_posix() for file in photos.rglob("*.jpg")}
    assert sum(len(split) for split in loaded.splits.values()) == 70
    for name, split in loaded.splits.items():
        assert {loaded.membership[example] for example in split.names} == {name}
        assert split.inputs["image"].shape == (len(split), 12, 16, 3) and split.inputs["image"].dtype == np.uint8
        classes = [("circle", "square")[index] for index in split.targets["probabilities"]]
        assert [file.parent.name for file in split.files if file] == classes
        for position, file in enumerate(split.files):
            assert file is not None
            assert np.array_equal(split.inputs["image"][position], read(loaded, name)(file.read_bytes()))
    training = [name for name, split in loaded.membership.items() if split == "training"]
    assert loaded.facts.class_names == ("circle", "square")
    assert loaded.facts.class_counts == tuple(sum(n.startswith(c) for n in training) for c in ("circle", "square"))
    assert heard.notes == list(loaded.notes)
    assert heard.notes[-1].startswith("70 examples: ")
    assert heard.steps[-1] == (70, 70)


TINY = ["data.memory_budget=1e-6"]


def test_examples_that_do_not_fit_into_memory_are_kept_on_disk_and_that_is_told(load: Load, photos: Path) -> None:
    in_memory = load()
    assert not any("memory_budget" in note for note in in_memory.notes)
    on_disk = load(None, TINY)
    assert any("are more than data.memory_budget" in note for note in on_disk.notes)
    for name, split in on_disk.splits.items():
        assert isinstance(split.inputs["image"], np.memmap)
        assert np.array_equal(split.inputs["image"], in_memory.splits[name].inputs["image"])


def test_a_full_disk_is_told_before_reading(load: Load, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full, raising=False)
    text = problems(load, None, TINY)
    assert "do not fit into" in text and "No space left on device" in text


def test_the_same_data_has_the_same_fingerprint(load: Load, photos: Path) -> None:
    first = load().fingerprint
    assert load().fingerprint == first
    (photos / "circle" / "0.jpg").rename(photos / "circle" / "renamed.jpg")
    renamed = load().fingerprint
    (photos / "circle" / "renamed.jpg").rename(photos / "square" / "renamed.jpg")
    assert len({first, renamed, load().fingerprint}) == 3
    assert load(None, ["data.split.seed=3"]).fingerprint != load().fingerprint


def test_another_label_is_another_fingerprint(load: Load, photos: Path) -> None:
    files = [file.relative_to(photos).as_posix() for file in sorted(photos.rglob("*.jpg"))]
    source = {"type": "csv", "path": "photos/photos.csv"}
    fingerprints = set()
    for odd in ("a", "b"):
        labels = [odd, *["ab"[number % 2] for number in range(1, len(files))]]
        rows = [f"{file},{label}\n" for file, label in zip(files, labels, strict=True)]
        (photos / "photos.csv").write_text("".join(["image,label\n", *rows]))
        fingerprints.add(load(source).fingerprint)
    assert len(fingerprints) == 2


def test_training_pictures_can_be_had_exactly(load: Load, tmp_path: Path, photos: Path) -> None:
    faster = load().splits["training"]
    exact = load_data(load_recipe(tmp_path / "recipe.yaml"), Listener(), exact=True).splits["training"]
    preprocessing = Image(image_size=(12, 16))
    truth = np.stack([preprocessing.apply(file.read_bytes()) for file in faster.files if file])
    assert not np.array_equal(faster.inputs["image"], truth)
    assert np.array_equal(exact.inputs["image"], truth)
    assert np.array_equal(exact_inputs(faster, [3, 1], preprocessing)["image"], truth[[3, 1]])


def test_pictures_without_a_file_are_always_read_exactly(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "apply_for_training", lambda self, raw: pytest.fail("it could not be read exactly"))
    split = load("digits").splits["training"]
    assert np.array_equal(exact_inputs(split, [5], Image(image_size=(12, 16)))["image"], split.inputs["image"][[5]])


# ── files that are no pictures ───────────────────────────────────────────────────────────────────────────────────────


def test_unreadable_files_are_named(load: Load, photos: Path) -> None:
    for number in range(7):
        (photos / "circle" / f"broken{number}.jpg").write_bytes(b"no pixels")
    text = problems(load)
    assert f"{photos / 'circle' / 'broken0.jpg'} cannot be read: this is no image" in text
    assert text.count("cannot be read") == 5
    assert "2 more such examples" in text
    assert "data.unreadable: skip" in text


def test_unreadable_files_are_skipped_when_the_recipe_says_so_and_counted(load: Load, photos: Path) -> None:
    (photos / "circle" / "cut.jpg").write_bytes((photos / "circle" / "0.jpg").read_bytes()[:400])
    (photos / "circle" / "notes.txt").write_text("hello")
    loaded = load(None, ["data.unreadable=skip"])
    assert sum(len(split) for split in loaded.splits.values()) == 70
    assert "Skipped 2 of 72 examples, which cannot be read." in loaded.notes
    assert any("notes.txt cannot be read: this is no image" in note for note in loaded.notes)
    assert "circle/notes.txt" not in loaded.membership
    assert all(split.inputs["image"].max() > 0 for split in loaded.splits.values())


def test_when_nothing_can_be_read_skipping_does_not_help(load: Load, photos: Path) -> None:
    for file in photos.rglob("*.jpg"):
        file.write_bytes(b"")
    assert "none of 70 examples can be read" in problems(load, None, ["data.unreadable=skip"])


def test_a_file_that_vanishes_while_reading(load: Load, photos: Path) -> None:
    table = photos / "photos.csv"
    table.write_text(
        "image,label\n" + "".join(f"{p.relative_to(photos)},{p.parent.name}\n" for p in photos.rglob("*.jpg"))
    )
    (photos / "circle" / "0.jpg").unlink()
    text = problems(load, {"type": "csv", "path": "photos/photos.csv"})
    line = table.read_text().splitlines().index("circle/0.jpg,circle") + 1
    assert f"photos.csv:{line}:1: " in text and "the file does not exist" in text


def test_reading_stops_when_it_is_interrupted(load: Load, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Any] = []
    dropped = threading.Event()
    apply = Image.apply

    def held(self: Image, raw: Any) -> np.ndarray:
        """Let the first picture pass; hold the others until what was not begun has been dropped."""
        read.append(raw)
        if len(read) > 1:
            dropped.wait(10)
        return apply(self, raw)

    class Pool(ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(False, cancel_futures=cancel_futures)
            dropped.set()
            super().shutdown(wait)

    class Impatient(Listener):
        def progress(self, done: int, total: int, values: Any) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr(Image, "apply", held)
    monkeypatch.setattr(reading, "ThreadPoolExecutor", lambda count: Pool(1))
    with pytest.raises(KeyboardInterrupt) as caught:
        load(None, (), Impatient())
    assert dropped.is_set()
    assert caught.traceback, "kept alive until here: nothing but the code itself may have ended the reading"
    assert len(read) <= 2


# ── classes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_class_with_one_picture_names_three_ways_out(load: Load, tmp_path: Path, make_photos: Photos) -> None:
    make_photos(tmp_path / "photos", {"circle": 40, "square": 1})
    text = problems(load)
    assert text.count("\n") == 1
    assert "split has no example of 'square' (1 in all)" in text
    for way in ("Add examples", "larger shares or another seed", "folders train, validation and test"):
        assert way in text


def test_a_single_class_cannot_be_told_apart(load: Load, tmp_path: Path, make_photos: Photos) -> None:
    make_photos(tmp_path / "photos", {"circle": 20})
    assert "at least two" in problems(load)


def test_the_task_may_order_the_classes(load: Load, photos: Path) -> None:
    loaded = load(None, ["task.classes=[square, circle]"])
    assert loaded.facts.class_names == ("square", "circle")
    assert loaded.facts.class_counts[0] > loaded.facts.class_counts[1]
    split = loaded.splits["training"]
    first = np.flatnonzero(split.targets["probabilities"] == 0)
    assert {split.names[position].split("/")[0] for position in first} == {"square"}


@pytest.mark.parametrize("classes", ["[circle, triangle]", "3", "[circle, square, star]"])
def test_other_classes_than_the_task_names(load: Load, photos: Path, classes: str) -> None:
    assert "--set 1: task.classes: " in problems(load, None, [f"task.classes={classes}"])


@pytest.mark.parametrize(
    ("names", "expected"),
    [(["a", "b", "a"], "several examples of the same name: a"), ([], "the source has no examples")],
)
def test_sources_that_break_their_promise(
    load: Load, monkeypatch: pytest.MonkeyPatch, names: list[str], expected: str
) -> None:
    picture = {"images": np.zeros((4, 4), np.uint8), "labels": "0"}
    broken = Examples([Example(name, None, lambda: picture) for name in names], ("0", "1"))
    monkeypatch.setattr(Digits, "open", lambda self, folder: broken)
    assert expected in problems(load, "digits")


def test_copies_with_other_labels_are_told(load: Load, photos: Path) -> None:
    shutil.copy(photos / "circle" / "0.jpg", photos / "square" / "copy.jpg")
    loaded = load()
    assert loaded.notes[-1] == (
        "Exact copies with another label: 1, such as 'square/copy.jpg' (square) and 'circle/0.jpg' (circle)."
    )
    assert loaded.membership["circle/0.jpg"] == loaded.membership["square/copy.jpg"]


# ── splits of the source ─────────────────────────────────────────────────────────────────────────────────────────────


def test_what_the_source_does_not_bring_is_cut_from_training(load: Load, tmp_path: Path, make_photos: Photos) -> None:
    make_photos(tmp_path / "photos" / "train", {"circle": 30, "square": 30}, seed=1)
    make_photos(tmp_path / "photos" / "val", {"circle": 5, "square": 5}, seed=2)
    loaded = load()
    assert len(loaded.splits["validation"]) == 10
    assert all(name.startswith("train/") for name in loaded.splits["test"].names)
    assert len(loaded.splits["training"]) + len(loaded.splits["test"]) == 60
    assert loaded.notes[-1] == "The source brings training, validation; test is cut from training by a hash of content."
    text = problems(load, None, ["data.split.validation=0.3"])
    assert "--set 1: data.split.validation: the source brings its own splits" in text


def test_splits_of_the_source_stand(load: Load, tmp_path: Path, make_photos: Photos) -> None:
    for seed, split in enumerate(("train", "val", "test")):
        make_photos(tmp_path / "photos" / split, {"circle": 3, "square": 3}, seed=seed)
    loaded = load()
    for split, folder in [("training", "train/"), ("validation", "val/"), ("test", "test/")]:
        assert len(loaded.splits[split]) == 6
        assert all(name.startswith(folder) for name in loaded.splits[split].names)
    assert "data.split.seed: the source brings its own splits" in problems(load, None, ["data.split.seed=1"])


def test_copies_over_the_source_s_splits_are_told(load: Load, tmp_path: Path, make_photos: Photos) -> None:
    for split, seed in [("train", 1), ("val", 2), ("test", 1)]:
        make_photos(tmp_path / "photos" / split, {"circle": 3, "square": 3}, seed=seed)
    assert load().notes[-1] == (
        "Exact copies in several splits, because of the source's splits: 6, such as 'train/circle/0.jpg' (training) "
        "and 'test/circle/0.jpg' (test). Scores on them are too good."
    )


# ── predict ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_files_are_read_as_they_were_for_training(load: Load, photos: Path) -> None:
    split = load().splits["test"]
    files = [file for file in split.files if file]
    assert np.array_equal(read_inputs(Image(image_size=(12, 16)), files), split.inputs["image"])
    assert read_inputs(Image(image_size=(12, 16)), []).shape == (0, 12, 16, 3)


def test_every_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"?")
    with pytest.raises(ProblemError) as caught:
        read_inputs(Image(image_size=(4, 4)), [tmp_path / "a.jpg", tmp_path / "b.jpg", tmp_path])
    text = str(caught.value)
    assert "a.jpg cannot be read: this is no image" in text
    assert "b.jpg cannot be read: the file does not exist" in text
    assert text.count("\n") == 2


@pytest.mark.filterwarnings("error")
def test_warnings_of_the_decoder_are_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pillow.new("L", (5, 5)).save(tmp_path / "a.png")
    monkeypatch.setattr(pillow, "MAX_IMAGE_PIXELS", 20)
    assert read_inputs(Image(image_size=(4, 4)), [tmp_path / "a.png"]).shape == (1, 4, 4, 3)


@pytest.mark.real_data
def test_ants_and_bees_are_loaded(load: Load, real_data: Path) -> None:
    loaded = load({"type": "image_folder", "path": str(real_data / "hymenoptera")})
    assert len(loaded.splits["validation"]) == 153
    assert len(loaded.splits["training"]) + len(loaded.splits["test"]) == 244


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders here")
def test_a_pipe_among_the_pictures_is_named_and_not_waited_for(load: Load, photos: Path) -> None:
    os.mkfifo(photos / "circle" / "pipe")
    assert "circle/pipe cannot be read: this is no regular file" in problems(load)
    assert any("circle/pipe" in note for note in load(None, ["data.unreadable=skip"]).notes)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names themselves")
def test_a_file_name_that_is_no_utf_8_is_one_clear_problem(load: Load, photos: Path) -> None:
    (photos / "circle" / "0.jpg").rename(os.fsdecode(os.fsencode(photos / "circle") + b"/caf\xe9.jpg"))
    text = problems(load)
    assert "the name of 'circle/caf\\udce9.jpg' is no UTF-8 text. Rename" in text


@pytest.mark.skipif(os.name == "nt", reason="Windows refuses such names itself")
def test_a_class_name_of_two_lines_is_one_clear_problem(load: Load, photos: Path) -> None:
    (photos / "circle").rename(photos / "cir\ncle")
    assert "the class name 'cir\\ncle' is not one line, as labels.txt needs it" in problems(load)


def test_a_task_without_labels_counts_what_its_training_targets_show(load: Load) -> None:
    source = {"type": "synthetic_shapes", "examples": 60, "image_size": [16, 16], "classes": ["circle", "square"]}
    loaded = load(source, ["task.type=semantic_segmentation"])
    masks = loaded.splits["training"].targets["probabilities"]
    assert loaded.facts.class_counts == tuple(int((masks == number).sum()) for number in range(3))
    assert sum(loaded.facts.class_counts) == masks.size
