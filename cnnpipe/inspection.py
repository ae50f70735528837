"""What a folder of pictures or a table holds, for the recipe that `new` writes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from cnnpipe.datasets import Dataset, Example
from cnnpipe.datasets._recognition import recognized
from cnnpipe.datasets._tables import header_of
from cnnpipe.datasets.csv import Csv
from cnnpipe.datasets.image_folder import ImageFolder, existing
from cnnpipe.errors import Problem, ProblemError

LABELS = frozenset({"images", "labels"})
LAYOUTS = (
    "It may be COCO's JSON file or a folder with it; a data.yaml of YOLO; Annotations and JPEGImages of Pascal VOC; a "
    "table with a row for each box; folders images and masks. Write the recipe yourself for other names."
)
LOOKED_AT = 500
"""How many pictures are opened to tell the size and colour of all; they are spread over the listing."""
IMAGE_COLUMNS = ("image", "file", "filename", "file_name", "path", "image_path", "filepath")
LABEL_COLUMNS = ("label", "class", "class_name", "category", "target", "labels", "classes")
SPLIT_COLUMNS = ("split", "set", "subset", "partition")
TABLES = (".csv", ".tsv")


def describe_folder(path: Path, needs: frozenset[str] = LABELS) -> dict[str, Any]:
    """Return what `Task.starter` needs to know about data.

    Args:
        path: A folder with a folder for each class, or a table (`.csv`, `.tsv`); where more than labels is needed,
            what a source of boxes or masks reads.
        needs: The keys of the examples that the task needs.

    Returns:
        `source`: the mapping for `data.source`, with the absolute path; `class_names`; `examples`: their number;
        `image_size`: median height and width; `color_mode`: `grayscale` when all pictures are; `most_boxes`: how many
        the picture with most boxes has, where boxes are needed; `notes`: sentences.

    Raises:
        ProblemError: It is not there, or is neither; says what it needs.
    """
    try:
        source, decided = _source(path, needs)
        listing = source.open(path.parent)
    except ProblemError as error:
        raise ProblemError(replace(problem, path="") for problem in error.problems) from None
    height, width, gray = _looks(listing.examples)
    boxes = {"most_boxes": _most_boxes(listing.examples)} if "bounding_boxes" in needs else {}
    return {
        **boxes,
        "source": {"type": source.type, **source.model_dump(exclude_defaults=True)},
        "class_names": listing.class_names,
        "examples": len(listing.examples),
        "image_size": (height, width),
        "color_mode": "grayscale" if gray else "rgb",
        "notes": (*decided, *listing.told()),
    }


def source_of(path: Path, needs: frozenset[str] = LABELS) -> Dataset:
    """Return the source that a folder or a file is, when it gives the keys of examples that are needed.

    Raises:
        ProblemError: It is not there, or gives something else; says what it needs.
    """
    return _source(path, needs)[0]


def _source(path: Path, needs: frozenset[str]) -> tuple[Dataset, tuple[str, ...]]:
    """Return the source, and what was decided, one sentence each."""
    if needs <= LABELS:
        return _labelled(path), ()
    if not path.exists():
        existing(path, "folder")
    found = recognized(path, needs)
    if found is None:
        missing = " and ".join(sorted(needs - LABELS))
        raise ProblemError(Problem(f"{path} holds nothing that gives {missing}", hint=LAYOUTS))
    return found


def _labelled(path: Path) -> Dataset:
    """Return the source of pictures with labels only."""
    if path.suffix.lower() in TABLES and not path.is_dir():
        return _table(existing(path, "file"))
    if path.is_file():
        hint = "Begin with a shipped recipe for other sources (`cnnpipe list datasets`), and change its data.source."
        raise ProblemError(Problem(f"{path} is no folder with a folder for each class, and no table", hint=hint))
    root = existing(path, "folder")
    tables = [p for p in sorted(root.iterdir()) if p.suffix.lower() in TABLES]
    if tables and not any(p.is_dir() and not p.name.startswith(".") for p in root.iterdir()):
        raise ProblemError(
            Problem(f"{path} has no class folders, but the table {tables[0].name}", hint=f"Give {tables[0]}.")
        )
    return ImageFolder(path=str(root.absolute()))


def _table(path: Path) -> Csv:
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    header = header_of(path, delimiter)
    found = {
        key: next((name for known in names for name in header if name.lower() == known), None)
        for key, names in [("image", IMAGE_COLUMNS), ("label", LABEL_COLUMNS), ("split", SPLIT_COLUMNS)]
    }
    for key, names in [("image", IMAGE_COLUMNS), ("label", LABEL_COLUMNS)]:
        if found[key] is None:
            raise ProblemError(
                Problem(
                    f"no column of {path} is called like a column of {key}s (it has {', '.join(header)})",
                    hint=f"Call it one of {', '.join(names)}; or write the recipe yourself, with {key}_column.",
                )
            )
    return Csv(
        path=str(path.absolute()),
        image_column=found["image"] or "",
        label_column=found["label"] or "",
        split_column=found["split"],
        delimiter=delimiter,
    )


def _most_boxes(examples: Sequence[Example]) -> int:
    """Return how many boxes the example with most of them has; what cannot be read is passed over."""
    most = 0
    for example in examples:
        with suppress(OSError, ValueError, ProblemError):
            most = max(most, len(example.read()["bounding_boxes"]["boxes"]))
    return most


def _looks(examples: Sequence[Example]) -> tuple[int, int, bool]:
    """Return the median height and width of pictures, and whether all are gray. What cannot be opened is passed over.

    Raises:
        ProblemError: None can be opened.
    """
    from statistics import median_low

    from PIL import Image, UnidentifiedImageError

    step = max(1, len(examples) // LOOKED_AT)
    sizes, gray = [], True
    for example in examples[::step]:
        try:
            with Image.open(io.BytesIO(example.read()["images"])) as picture:
                turned = picture.getexif().get(0x0112, 1) >= 5
                sizes.append(picture.size if turned else picture.size[::-1])
                gray = gray and picture.mode in ("1", "L", "LA", "I;16", "I;16B", "I")
        except (OSError, ValueError, UnidentifiedImageError, Image.DecompressionBombError):
            continue
    if not sizes:
        raise ProblemError(Problem(f"none of {len(examples)} files can be opened as a picture"))
    return median_low(size[0] for size in sizes), median_low(size[1] for size in sizes), gray
