"""Folders as people keep them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cnnpipe.datasets import Examples
from cnnpipe.datasets.image_folder import ImageFolder, SplitFolders
from cnnpipe.errors import ProblemError

Fill = Callable[..., Path]


@pytest.fixture
def fill(tmp_path: Path) -> Fill:
    """Return a function that writes files with some content and returns their common folder `photos`."""

    def write(*names: str) -> Path:
        for name in names:
            file = tmp_path / "photos" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if not name.endswith("/"):
                file.write_bytes(name.encode())
            else:
                file.mkdir(exist_ok=True)
        return tmp_path / "photos"

    return write


def listing(root: Path) -> Examples:
    return ImageFolder(path=root.name).open(root.parent)


def problem(root: Path) -> str:
    with pytest.raises(ProblemError) as caught:
        listing(root)
    return str(caught.value)


def test_class_folders_without_splits(fill: Fill) -> None:
    found = listing(fill("dogs/b.jpg", "dogs/a.jpg", "cats/1.png"))
    assert found.class_names == ("cats", "dogs")
    assert [example.name for example in found.examples] == ["cats/1.png", "dogs/a.jpg", "dogs/b.jpg"]
    assert {example.split for example in found.examples} == {None}
    assert found.examples[0].read() == {"images": b"cats/1.png", "labels": "cats"}
    assert found.notes == ()


@pytest.mark.parametrize("names", [("train", "val", "test"), ("training", "validation", "testing"), ("Train", "VALID")])
def test_split_folders_by_any_usual_name(fill: Fill, names: tuple[str, ...]) -> None:
    found = listing(fill(*(f"{name}/{label}/1.jpg" for name in names for label in ("cats", "dogs"))))
    assert found.class_names == ("cats", "dogs")
    splits = ("training", "validation", "test")[: len(names)]
    assert [example.split for example in found.examples] == [split for split in splits for _ in range(2)]


def test_the_recipe_may_say_which_folder_is_which_split(fill: Fill) -> None:
    fill("train/a/1.jpg", "train/b/1.jpg", "val/a/2.jpg", "val/b/2.jpg")
    found = ImageFolder(path="photos", splits=SplitFolders(test="val")).open(fill().parent)
    assert {example.name: example.split for example in found.examples} == {
        "train/a/1.jpg": "training", "train/b/1.jpg": "training", "val/a/2.jpg": "test", "val/b/2.jpg": "test",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("stated", "path", "expected"),
    [
        (SplitFolders(test="exam"), "splits.test", "has no folder 'exam'"),
        (SplitFolders(test="train"), "splits.test", "the folder 'train' is two splits"),
        (SplitFolders(), "splits", "holds folders that are no split of the recipe (val)"),
    ],
)
def test_split_folders_that_cannot_be(fill: Fill, stated: SplitFolders, path: str, expected: str) -> None:
    fill("train/a/1.jpg", "train/b/1.jpg", "val/a/2.jpg")
    with pytest.raises(ProblemError) as caught:
        ImageFolder(path="photos", splits=stated).open(fill().parent)
    (found,) = caught.value.problems
    assert expected in found.message and found.path == f"data.source.{path}"


def test_nested_files_belong_to_their_class(fill: Fill) -> None:
    found = listing(fill("cats/2024/may/1.jpg", "cats/2.jpg", "dogs/1.jpg"))
    assert [example.name for example in found.examples] == ["cats/2.jpg", "cats/2024/may/1.jpg", "dogs/1.jpg"]


def test_hidden_files_are_left_out_and_counted(fill: Fill) -> None:
    found = listing(
        fill("cats/1.jpg", "cats/.DS_Store", "cats/Thumbs.db", "dogs/1.jpg", ".git/config", "__MACOSX/x", "r.txt")
    )
    assert len(found.examples) == 2
    assert "Ignored 4 hidden files or folders in photos: .DS_Store, .git/, Thumbs.db, __MACOSX/." in found.notes
    assert "Ignored 1 file outside of class folders: r.txt." in found.notes


def test_any_other_file_is_an_example_so_that_none_is_lost(fill: Fill) -> None:
    assert len(listing(fill("cats/1.heic", "cats/notes.txt", "dogs/1")).examples) == 3


def test_a_class_may_be_called_like_a_split(fill: Fill) -> None:
    assert listing(fill("bus/1.jpg", "car/1.jpg", "train/1.jpg")).class_names == ("bus", "car", "train")


def test_linked_folders_are_followed_once(fill: Fill) -> None:
    root = fill("cats/1.jpg", "dogs/1.jpg")
    (root / "birds").symlink_to(fill("../elsewhere/1.jpg").parent / "elsewhere")
    (root / "cats" / "loop").symlink_to(root / "cats")
    assert [example.name for example in listing(root).examples] == ["birds/1.jpg", "cats/1.jpg", "dogs/1.jpg"]


def test_the_class_list_is_that_of_training_for_every_split(fill: Fill) -> None:
    """A folder that validation lacks must not shift the numbers of the others."""
    text = problem(fill("train/ants/1.jpg", "train/bees/1.jpg", "train/cows/1.jpg", "val/ants/1.jpg", "val/cows/1.jpg"))
    assert "the validation split has no class folder 'bees'" in text
    assert text.count("\n") == 0


def test_a_class_that_training_does_not_have(fill: Fill) -> None:
    text = problem(fill("train/ants/1.jpg", "train/bees/1.jpg", "test/ants/1.jpg", "test/bees/1.jpg", "test/bee/1.jpg"))
    assert "the test split has a class folder 'bee'" in text and "Did you mean 'bees'?" in text


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["cats/1.jpg", "dogs/"], "dogs is empty"),
        (["cats/1.jpg", "dogs/.DS_Store"], "dogs is empty"),
        (["1.jpg", "2.jpg"], "photos has no classes: it holds 2 files, but no folders. Make one folder for each class"),
        (["./"], "photos has no classes: it is empty"),
        (["val/cats/1.jpg", "test/cats/1.jpg"], "has no training folder beside test, val"),
        (["train/cats/1.jpg", "training/cats/1.jpg"], "both are the training split"),
        (["train/cats/1.jpg", "dogs/1.jpg"], "split folders (train) and other folders (dogs)"),
        (["train/cats/1.jpg", "val/"], "split folders (train) and other folders (val)"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_folders_that_cannot_be_used(fill: Fill, names: list[str], expected: str) -> None:
    fill("../other")
    assert expected in problem(fill(*names))


def test_a_folder_that_is_not_there(fill: Fill) -> None:
    root = fill("cats/1.jpg")
    text = problem(root.parent / "photo")
    assert f"the folder {root.parent / 'photo'} does not exist. Did you mean {root}?" in text
    assert f"The nearest folder that exists is {root.parent}." in problem(root.parent / "a" / "b" / "c")
    assert "is no folder" in problem(root / "cats" / "1.jpg")


def test_a_folder_that_may_not_be_read(fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    root = fill("cats/1.jpg", "dogs/1.jpg")
    listed = Path.iterdir

    def locked(self: Path) -> Iterator[Path]:
        if self.name == "dogs":
            raise PermissionError(13, "Permission denied", str(self))
        return listed(self)

    monkeypatch.setattr(Path, "iterdir", locked)
    assert problem(root) == f"{root / 'dogs'} cannot be read (Permission denied)."


@pytest.mark.real_data
def test_ants_and_bees(real_data: Path) -> None:
    found = ImageFolder(path=str(real_data / "hymenoptera")).open(Path())
    splits = [example.split for example in found.examples]
    assert found.class_names == ("ants", "bees")
    assert (splits.count("training"), splits.count("validation"), splits.count("test")) == (244, 153, 0)
