"""Pictures with one text file of boxes each, and a data.yaml that names folders and classes, as YOLO's trainers use."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

from cnnpipe.datasets import SPLITS, Dataset, Example, Examples, SplitName
from cnnpipe.datasets._masks import instances_of
from cnnpipe.datasets._objects import Repairs, Stated, fitted, truth_of
from cnnpipe.datasets._pictures import pictures_in, size_of
from cnnpipe.datasets._split_lists import lines_of
from cnnpipe.datasets.csv_boxes import corners_of
from cnnpipe.datasets.image_folder import content_of, existing
from cnnpipe.errors import Place, Problem, ProblemError
from cnnpipe.spec import RecipePath
from cnnpipe.text_file import read_text

KEYS: Mapping[SplitName, str] = {"training": "train", "validation": "val", "test": "test"}
"""The keys of data.yaml that say where the pictures of a split are."""
IMAGES, LABELS = "images", "labels"
WHOLE = (1.0, 1.0)
SLIGHT = 0.002
"""Share of the picture by which a box may reach beyond it without a word: coordinates are rounded."""
NO_FILE = "pictures without a file of boxes, taken as pictures without objects"
"""What many tools write for such pictures, and what a forgotten file looks like as well."""


@dataclass(frozen=True)
class _Document:
    """What data.yaml holds, with places. Its keys may be numbers, which those of recipes may not."""

    file: str
    data: Mapping[Any, Any]
    places: Mapping[str, Place]


@dataclass(frozen=True)
class _Listed:
    """The pictures of all splits, and the names of the classes."""

    pictures: Mapping[SplitName, Sequence[Path]]
    class_names: tuple[str, ...]
    root: Path


class Yolo(Dataset):
    """`images/…/NAME.jpg` with `labels/…/NAME.txt`, a row `CLASS X Y WIDTH HEIGHT` for each box.

    Class is a number from 0; the middle of the box and its sides are shares of the picture. With masks, a row is
    `CLASS X Y X Y X Y …`, a polygon. The class names, and which folder or list is which split, stand in `data.yaml`.
    """

    keys: ClassVar[frozenset[str]] = frozenset(
        {"images", "labels", "bounding_boxes", "instance_masks", "segmentation_masks"}
    )
    more_keys_with: ClassVar[str] = "masks: true"
    also_called: ClassVar[tuple[str, ...]] = ("yolov5", "yolov8", "yolo11", "ultralytics", "darknet", "txt")
    type: Literal["yolo"] = "yolo"
    path: RecipePath
    """The file data.yaml, relative to the recipe. Its `train`, `val` and `test` are folders, or lists of pictures."""
    masks: bool = False
    """Whether rows are polygons, of which masks are made; else a polygon only gives its box."""

    def gives(self) -> frozenset[str]:
        """Only polygons give masks."""
        return self.keys if self.masks else self.keys - {"instance_masks", "segmentation_masks"}

    def class_names(self) -> tuple[str, ...] | None:
        """Return the names in data.yaml, when it can be read."""
        try:
            return _class_names(_read_yaml(Path(self.path)))
        except ProblemError:  # told when the data is opened
            return None

    def open(self, folder: Path) -> Examples:
        """Read all files of boxes; an example's name is its picture's path below the folder of all.

        Raises:
            ProblemError: Files are missing, or are not what they should be; with their lines.
        """
        listed = _listed(existing(folder / self.path, "file"))
        repairs, problems, examples = Repairs(), list[Problem](), list[Example]()
        for split, pictures in listed.pictures.items():
            for picture in pictures:
                try:
                    items = self._objects(picture, listed.class_names, repairs)
                    examples.append(self._example(picture, split, items, listed))
                except ProblemError as error:
                    problems += error.problems
        if problems:
            raise ProblemError(problems)
        return Examples(tuple(examples), listed.class_names, (), repairs.by_kind())

    def _example(self, picture: Path, split: SplitName, items: Sequence[Stated], listed: _Listed) -> Example:
        name = picture.relative_to(listed.root).as_posix() if picture.is_relative_to(listed.root) else str(picture)
        read = partial(_read, picture, items, listed.class_names, self.masks)
        return Example(name, split, read, picture, Place(str(_labels_of(picture)), 1, 1))

    def _objects(self, picture: Path, names: Sequence[str], repairs: Repairs) -> list[Stated]:
        file = _labels_of(picture)
        if not file.is_file():
            repairs.add(NO_FILE, str(picture))
            return []
        items, problems = [], []
        for place, line in lines_of(file):
            try:
                items.append(self._object(line, place, names))
            except ValueError as error:
                problems.append(Problem(str(error), place))
        if problems:
            raise ProblemError(problems)
        return fitted(items, WHOLE, repairs, SLIGHT)

    def _object(self, line: str, place: Place, names: Sequence[str]) -> Stated:
        """Return the object of a row, in shares of the picture. Raises `ValueError` when it is none."""
        first, *cells = line.split()
        label = int(first) if first.isdigit() else -1
        if label not in range(len(names)):
            raise ValueError(f"the class must be a number from 0 to {len(names) - 1} (received '{first}')")
        numbers = [_number(cell) for cell in cells]
        if len(numbers) == 4 and not self.masks:
            return Stated(corners_of(numbers, "rel_center_xywh", WHOLE), names[label], place)
        if len(numbers) < 6 or len(numbers) % 2:
            wanted = "pairs of numbers, three or more" if self.masks else "four numbers, or pairs of them as a polygon"
            raise ValueError(f"the class must be followed by {wanted} (received {len(numbers)} numbers)")
        x, y = numbers[::2], numbers[1::2]
        corners = corners_of([min(x), min(y), max(x), max(y)], "rel_xyxy", WHOLE)
        return Stated(corners, names[label], place, outline=[numbers] if self.masks else None)


def _listed(file: Path) -> _Listed:
    """Return what data.yaml says."""
    document = _read_yaml(file)
    names, data = _class_names(document), document.data
    root = file.parent / str(data.get("path") or ".")
    if not root.is_dir():
        raise _at(document, "path", f"the folder {root} does not exist")
    pictures: dict[SplitName, list[Path]] = {}
    for split in SPLITS:
        stated = data.get(KEYS[split])
        wanted = stated if isinstance(stated, list) else [stated] if stated else []
        found = [picture for one in wanted for picture in _pictures(document, KEYS[split], root, str(one))]
        if wanted and not found:
            raise _at(document, KEYS[split], f"there are no pictures in {', '.join(map(str, wanted))}")
        if found:
            pictures[split] = found
    if "training" not in pictures:
        raise _at(document, "train", "it names no pictures for training as 'train'")
    return _Listed(pictures, names, root)


def _pictures(document: _Document, key: str, root: Path, stated: str) -> Iterator[Path]:
    """Yield the pictures of a folder, or of a list whose paths are relative to the folder of all."""
    place = root / stated
    if not place.exists() and stated.startswith("../"):
        place = root / stated[3:]  # as exported by tools that let their own loader look beside the file
    if place.is_dir():
        yield from pictures_in(place)
    elif place.is_file():
        for where, line in lines_of(place):
            picture = root / line
            if not picture.is_file():
                raise ProblemError(Problem(f"there is no picture {picture}", where))
            yield picture
    else:
        raise _at(document, key, f"{place} does not exist")


def _class_names(document: _Document) -> tuple[str, ...]:
    """Return the names, a list or a mapping of their numbers."""
    stated = document.data.get("names")
    if isinstance(stated, Mapping):
        numbers = {str(number): str(name) for number, name in stated.items()}
        if set(numbers) != set(map(str, range(len(numbers)))):
            raise _at(document, "names", f"the numbers of the names must be 0 to {len(numbers) - 1}")
        stated = [numbers[str(number)] for number in range(len(numbers))]
    if not isinstance(stated, list) or not stated:
        raise _at(document, "names", "it needs the class names as 'names', a list or a mapping of their numbers")
    if document.data.get("nc") not in (None, len(stated)):
        raise _at(document, "nc", f"nc is {document.data['nc']}, but there are {len(stated)} names")
    return tuple(map(str, stated))


def _labels_of(picture: Path) -> Path:
    """Return the file of a picture's boxes: the last folder called `images` becomes `labels`, else it lies beside."""
    parts = list(picture.parts)
    for position in range(len(parts) - 2, -1, -1):
        if parts[position] == IMAGES:
            parts[position] = LABELS
            break
    return Path(*parts).with_suffix(".txt")


def _number(cell: str) -> float:
    try:
        number = float(cell)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"'{cell}' is no number")
    return number


def _read(picture: Path, items: Sequence[Stated], names: Sequence[str], masks: bool) -> dict[str, Any]:
    """Return one example, its boxes in pixels."""
    import numpy as np

    truth = truth_of(items, names, False)
    size = size_of(picture)
    truth["bounding_boxes"]["boxes"] *= np.array((*size, *size), np.float32)
    if masks:
        polygons = [[[n * side for n, side in zip(o, size * (len(o) // 2), strict=True)] for o in item.outline]
                    for item in items]  # fmt: skip
        truth |= instances_of(polygons, truth["bounding_boxes"]["labels"], size[::-1])
    return {"images": content_of(picture), **truth}


def _at(document: _Document, key: str, message: str) -> ProblemError:
    return ProblemError(Problem(message, document.places.get(key, Place(document.file, 1, 1))))


def _read_yaml(file: Path) -> _Document:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    top = Place(str(file), 1, 1)
    try:
        data = YAML(typ="rt", pure=True).load(read_text(file, str(file)))
    except YAMLError as error:
        mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
        place = Place(str(file), mark.line + 1, mark.column + 1) if mark else top
        raise ProblemError(Problem(f"this is no YAML ({getattr(error, 'problem', None) or error})", place)) from None
    if not isinstance(data, Mapping):
        raise ProblemError(Problem("the top level must be a mapping of keys to values", top))
    lines = {key: data.lc.key(key) for key in data}  # type: ignore[attr-defined]
    return _Document(
        str(file), data, {key: Place(str(file), line + 1, column + 1) for key, (line, column) in lines.items()}
    )
