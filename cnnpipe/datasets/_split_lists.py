"""Text files that name the examples of a split, one a line: what the sources with such lists share."""

from __future__ import annotations

from pathlib import Path

from cnnpipe.datasets import SPLITS, SplitName
from cnnpipe.datasets.image_folder import SPLIT_FOLDERS, SplitFolders
from cnnpipe.errors import Place, Problem, ProblemError

EXTENSION = ".txt"


def stated_lists(folder: Path, splits: SplitFolders | None, key: str) -> dict[SplitName, Path]:
    """Return the list of each split in a folder; none when it holds none.

    Args:
        folder: Where the lists lie, `train.txt` and others.
        splits: Their names without `.txt` where the recipe says them.
        key: Where the recipe says them.

    Raises:
        ProblemError: A list that the recipe names is not there, or two say the same split.
    """
    if splits is not None:
        named = {split: getattr(splits, split) for split in SPLITS if getattr(splits, split) is not None}
        files = {split: folder / f"{name.removesuffix(EXTENSION)}{EXTENSION}" for split, name in named.items()}
        if missing := [split for split, file in files.items() if not file.is_file()]:
            there = ", ".join(sorted(file.name for file in folder.glob(f"*{EXTENSION}"))) or "no list"
            message = f"there is no list {files[missing[0]]}"
            raise ProblemError(Problem(message, path=f"{key}.{missing[0]}", hint=f"{folder} holds {there}."))
        return files
    found: dict[SplitName, Path] = {}
    for file in sorted(folder.glob(f"*{EXTENSION}")):
        split = SPLIT_FOLDERS.get(file.stem.lower())
        if split in found:
            raise ProblemError(Problem(f"{file} and {found[split]} both list the {split} split", path=key))
        if split is not None:
            found[split] = file
    return {split: found[split] for split in SPLITS if split in found}


def names_in(lists: dict[SplitName, Path]) -> dict[str, tuple[SplitName, Place]]:
    """Return the split of each name, and where it is listed.

    Raises:
        ProblemError: A name stands twice, or a list cannot be read.
    """
    found: dict[str, tuple[SplitName, Place]] = {}
    problems = []
    for split, file in lists.items():
        for place, name in lines_of(file):
            if name in found:
                first = found[name][1]
                message = f"'{name}' stands in {first.file}:{first.line} already"
                hint = "" if found[name][0] == split else "An example belongs to one split."
                problems.append(Problem(message, place, hint=hint))
            found.setdefault(name, (split, place))
    if problems:
        raise ProblemError(problems)
    return found


def lines_of(file: Path) -> list[tuple[Place, str]]:
    """Return the lines of a text file in UTF-8 that are not empty, with their places.

    Raises:
        ProblemError: It cannot be read.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProblemError(Problem(f"{file} is not UTF-8 text ({error.reason} at byte {error.start})")) from None
    except OSError as error:
        raise ProblemError(Problem(f"{file} cannot be read ({error.strerror})")) from None
    lines = enumerate(text.splitlines(), 1)
    return [(Place(str(file), number, 1), line.strip()) for number, line in lines if line.strip()]
