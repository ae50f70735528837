"""A folder of pictures with one folder for each class, with or without folders for training, validation and test."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from cnnpipe.datasets import SPLITS, Dataset, Example, Examples, SplitName
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.spec import RecipePath, Spec, nearest

SPLIT_FOLDERS: dict[str, SplitName] = {
    "train": "training",
    "training": "training",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
DROPPINGS = {"thumbs.db", "desktop.ini", "ehthumbs.db", "__macosx"}


Folder = Annotated[str, Field(min_length=1)]


class SplitFolders(Spec):
    """Which folder is which split, where their names say something else."""

    training: Folder = "train"
    """Folder of the training split."""
    validation: Folder | None = None
    """Folder of the validation split; cut from training when left out."""
    test: Folder | None = None
    """Folder of the test split; cut from training when left out."""


class ImageFolder(Dataset):
    """`PATH/CLASS/…/picture`, or `PATH/train/CLASS/…/picture` with `val` and `test` beside it.

    The class list is that of the training folder, sorted, and is the same for every split. Every file in a class
    folder is an example; only hidden files are left out, and counted in a note.
    """

    also_called: ClassVar[tuple[str, ...]] = (
        "imagefolder",
        "folder",
        "directory",
        "image_dataset_from_directory",
        "flow_from_directory",
        "imagenet",
        "path",
        "photos",
        "images",
        "dir",
    )
    type: Literal["image_folder"] = "image_folder"
    path: RecipePath
    """The folder; relative to the recipe."""
    splits: SplitFolders | None = None
    """Which folder is which split; when left out their names tell: `train`, `val` or `validation`, `test`."""

    def open(self, folder: Path) -> Examples:
        """List the examples, sorted by name, which is the path below the folder.

        Raises:
            ProblemError: The folder is not there, has no classes, an empty class, or splits with different classes.
        """
        root = existing(folder / self.path, "folder")
        notes: list[str] = []
        try:
            splits = _stated_folders(root, self.splits, notes) if self.splits else _split_folders(root, notes)
            classes = {split: _classes(place, root, notes) for split, place in splits.items()}
            names = _class_names(root, splits, classes)
            examples = [
                Example(file.relative_to(root).as_posix(), split, partial(_read, file, name), file)
                for split, found in classes.items()
                for name in names
                for file in found[name]
            ]
        except OSError as error:
            raise ProblemError(Problem(f"{error.filename} cannot be read ({error.strerror})")) from None
        return Examples(tuple(examples), names, tuple(notes))


def existing(path: Path, kind: Literal["folder", "file"], key: str = "data.source.path") -> Path:
    """Return `path`, which the recipe says at `key`, if it is such a thing.

    Raises:
        ProblemError: It is not; names the nearest one beside it.
    """
    if path.is_dir() if kind == "folder" else path.is_file():
        return path
    if path.exists():
        raise ProblemError(Problem(f"{path} is no {kind}", path=key))
    parent = path.parent
    while not parent.is_dir():
        parent = parent.parent
    found = [p.name for p in parent.iterdir() if p.is_dir() == (kind == "folder")] if parent == path.parent else []
    meant = nearest(path.name, found)
    hint = f"Did you mean {parent / meant}?" if meant else f"The nearest folder that exists is {parent}."
    raise ProblemError(Problem(f"the {kind} {path} does not exist", path=key, hint=hint))


def content_of(file: Path) -> bytes:
    """Return what a file holds.

    Raises:
        OSError: It cannot be read.
        ValueError: It is a pipe or a device: reading might wait for ever.
    """
    mode = file.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise ValueError("this is no regular file")
    return file.read_bytes()


def _read(file: Path, label: str) -> dict[str, Any]:
    return {"images": content_of(file), "labels": label}


def _split_folders(root: Path, notes: list[str]) -> dict[SplitName | None, Path]:
    """Return the folder of each split, or the root alone when no folder names a split.

    A folder called `train` with pictures right in it is a class, of vehicles perhaps.
    """
    folders = [p for p in sorted(root.iterdir()) if p.is_dir() and not _hidden(p)]
    named = [
        p
        for p in folders
        if p.name.lower() in SPLIT_FOLDERS and any(c.is_dir() and not _hidden(c) for c in p.iterdir())
    ]
    if not named:
        return {None: root}
    if others := [p.name for p in folders if p not in named]:
        raise _problem(
            f"{root} holds split folders ({_listed([p.name for p in named])}) and other folders ({_listed(others)})",
            "Move the other folders away, or into the split folders.",
        )
    splits: dict[SplitName | None, Path] = {}
    for folder in named:
        split = SPLIT_FOLDERS[folder.name.lower()]
        if split in splits:
            raise _problem(f"{folder} and {splits[split]} both are the {split} split", "Keep one of them.")
        splits[split] = folder
    if "training" not in splits:
        raise _problem(f"{root} has no training folder beside {_listed([p.name for p in named])}", "Call it train.")
    _note_outside(_visible_files(root), notes)
    _note_hidden(_hidden_names(root), Path(root.name), notes)
    return {split: splits[split] for split in SPLITS if split in splits}


def _stated_folders(root: Path, stated: SplitFolders, notes: list[str]) -> dict[SplitName | None, Path]:
    """Return the folder of each split as the recipe says it."""
    splits: dict[SplitName | None, Path] = {}
    for split in SPLITS:
        name = getattr(stated, split)
        if name is None:
            continue
        if not (root / name).is_dir():
            raise _problem(f"{root} has no folder '{name}'", "Name a folder of it.", f"splits.{split}")
        if root / name in splits.values():
            raise _problem(f"the folder '{name}' is two splits", "Name another one.", f"splits.{split}")
        splits[split] = root / name
    folders = [p for p in sorted(root.iterdir()) if p.is_dir() and not _hidden(p)]
    if others := [p.name for p in folders if p not in splits.values()]:
        hint = "Say what they are, or move them away."
        raise _problem(f"{root} holds folders that are no split of the recipe ({_listed(others)})", hint, "splits")
    _note_outside(_visible_files(root), notes)
    _note_hidden(_hidden_names(root), Path(root.name), notes)
    return splits


def _classes(place: Path, root: Path, notes: list[str]) -> dict[str, list[Path]]:
    """Return the files of each class folder in `place`, sorted."""
    beside = _visible_files(place)
    folders = [p for p in sorted(place.iterdir()) if p.is_dir() and not _hidden(p)]
    if not folders:
        what = f"it holds {_count(beside, 'file')}, but no folders" if beside else "it is empty"
        raise _problem(f"{place} has no classes: {what}", "Make one folder for each class and put its pictures there.")
    _note_outside(beside, notes)
    hidden = _hidden_names(place)
    found = {folder.name: sorted(_files(folder, hidden, {folder.resolve()})) for folder in folders}
    _note_hidden(hidden, place.relative_to(root.parent), notes)
    return found


def _files(folder: Path, hidden: list[str], seen: set[Path]) -> Iterator[Path]:
    """Yield all files below a folder; folders that are links are followed once."""
    for path in folder.iterdir():
        if _hidden(path):
            hidden.append(_named(path))
        elif not path.is_dir():
            yield path
        elif (real := path.resolve()) not in seen:
            yield from _files(path, hidden, seen | {real})


def _class_names(
    root: Path, splits: dict[SplitName | None, Path], classes: dict[SplitName | None, dict[str, list[Path]]]
) -> tuple[str, ...]:
    """Return the class list, which is the training folder's.

    Raises:
        ProblemError: A class is empty, or another split has other classes.
    """
    first, *others = classes
    names = tuple(sorted(classes[first]))
    problems = [
        Problem(f"the class folder {splits[split] / name} is empty", hint="Put pictures there, or remove the folder.")
        for split, found in classes.items()
        for name, files in found.items()
        if not files
    ]
    for split in others:
        for name in sorted(set(names) - set(classes[split])):
            problems.append(
                Problem(
                    f"the {split} split has no class folder '{name}' ({splits[split] / name}), but training has",
                    hint="Add it, or remove the class everywhere.",
                )
            )
        for name in sorted(set(classes[split]) - set(names)):
            meant = nearest(name, list(names))
            problems.append(
                Problem(
                    f"the {split} split has a class folder '{name}' ({splits[split] / name}), but training has not",
                    hint=f"Did you mean '{meant}'?" if meant else f"The classes are {_listed(list(names))}.",
                )
            )
    if problems:
        raise ProblemError(problems)
    return names


def _visible_files(folder: Path) -> list[str]:
    return [p.name for p in sorted(folder.iterdir()) if not p.is_dir() and not _hidden(p)]


def _note_outside(names: list[str], notes: list[str]) -> None:
    if names:
        notes.append(f"Ignored {_count(names, 'file')} outside of class folders: {_listed(names)}.")


def _note_hidden(names: list[str], where: Path, notes: list[str]) -> None:
    if names:
        words = "hidden file or folder" if len(names) == 1 else "hidden files or folders"
        notes.append(f"Ignored {len(names)} {words} in {where}: {_listed(sorted(names))}.")


def _hidden_names(folder: Path) -> list[str]:
    return [_named(p) for p in folder.iterdir() if _hidden(p)]


def _named(path: Path) -> str:
    return path.name + "/" * path.is_dir()


def _hidden(path: Path) -> bool:
    return path.name.startswith(".") or path.name.lower() in DROPPINGS


def _count(names: list[str], what: str) -> str:
    return f"{len(names)} {what}" + ("" if len(names) == 1 else "s")


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _problem(message: str, hint: str, key: str = "path") -> ProblemError:
    return ProblemError(Problem(message, path=f"data.source.{key}", hint=hint))
