"""Pictures whose boxes and masks stand in one JSON file, in the format of COCO."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

from cnnpipe.datasets import SPLITS, Dataset, Example, Examples, SplitName
from cnnpipe.datasets._masks import MOST_CLASSES, instances_of
from cnnpipe.datasets._objects import Corners, Repairs, Stated, fitted, truth_of
from cnnpipe.datasets._pictures import size_of
from cnnpipe.datasets.image_folder import content_of, existing
from cnnpipe.errors import Place, Problem, ProblemError
from cnnpipe.spec import RecipePath, Spec

LISTED = 20
"""How many problems of a file are told before they are only counted."""


class Part(Spec):
    """A JSON file and the folder of its pictures."""

    annotations: RecipePath
    """The JSON file; relative to the recipe."""
    images: RecipePath
    """The folder to which its `file_name`s are relative."""


class Coco(Dataset):
    """The format of Lin et al. 2014, "Microsoft COCO", as https://cocodataset.org/#format-data says it.

    The class list is that of `categories`, in the order of their ids. Objects with `iscrowd` keep that mark: they stand
    for groups, are not trained on, and are not missed in scores.
    """

    keys: ClassVar[frozenset[str]] = frozenset(
        {"images", "labels", "bounding_boxes", "instance_masks", "segmentation_masks"}
    )
    more_keys_with: ClassVar[str] = "masks: true"
    also_called: ClassVar[tuple[str, ...]] = ("mscoco", "coco_json", "instances_json", "json", "labelme")
    type: Literal["coco"] = "coco"
    training: Part
    """The pictures for training."""
    validation: Part | None = None
    """The pictures for validation; None: cut from training."""
    test: Part | None = None
    """The pictures for the test; None: cut from training."""
    masks: bool = False
    """Whether masks are made of `segmentation`, polygons or run lengths, which every object must then have."""

    def gives(self) -> frozenset[str]:
        """Masks only where they are wanted."""
        return self.keys if self.masks else self.keys - {"instance_masks", "segmentation_masks"}

    def open(self, folder: Path) -> Examples:
        """Read the files; an example's name is its `file_name`, after the split where it is not for training.

        Raises:
            ProblemError: A file or picture is missing, ids are unknown, numbers are none; splits have other classes.
        """
        repairs, problems = Repairs(), list[Problem]()
        examples: list[Example] = []
        class_names: dict[str, tuple[str, ...]] = {}
        for split in SPLITS:
            part: Part | None = getattr(self, split)
            if part is None:
                continue
            annotations = existing(folder / part.annotations, "file", f"data.source.{split}.annotations")
            images = existing(folder / part.images, "folder", f"data.source.{split}.images")
            try:
                reader = _Reader(annotations, images, self.masks, repairs)
                examples += reader.examples(split)
                class_names[str(annotations)] = reader.class_names
            except ProblemError as error:
                problems += error.problems
        if len(set(class_names.values())) > 1:
            (one, _), (other, _), *_ = class_names.items()
            problems.append(Problem(f"{one} and {other} have other categories", path="data.source"))
        if problems:
            raise ProblemError(problems)
        return Examples(tuple(examples), next(iter(class_names.values())), (), repairs.by_kind())


class _Reader:
    """Reads one JSON file."""

    def __init__(self, file: Path, images: Path, masks: bool, repairs: Repairs) -> None:
        self.place = Place(str(file), 0, 0)
        self.images, self.masks, self.repairs = images, masks, repairs
        self.problems: list[Problem] = []
        self.content = _content(file)
        names = dict(sorted((number, str(item.get("name", ""))) for number, item in self._by_id("categories").items()))
        self.names: Mapping[int, str] = names
        self.class_names = tuple(names.values())
        if len(set(self.class_names)) < len(names) or not all(names.values()) or not names:
            self._problem("categories", "every category needs a name of its own")
        if masks and len(names) > MOST_CLASSES:
            self._problem("categories", f"{len(names)} classes are more than the {MOST_CLASSES} that masks can hold")

    def examples(self, split: SplitName) -> list[Example]:
        """Return all examples.

        Raises:
            ProblemError: With what is wrong anywhere in the file.
        """
        pictures = self._by_id("images")
        files = {number: self._picture(number, picture) for number, picture in pictures.items()}
        found = defaultdict(list)
        for position, item in enumerate(self.content["annotations"]):
            where = f"annotations[{position}]"
            try:
                number = item["image_id"]
                if number not in pictures:
                    raise ValueError(f"there is no image with the id {number}")
                found[number].append(self._object(item, where))
            except (KeyError, TypeError) as error:
                self._problem(where, f"it needs {error}" if isinstance(error, KeyError) else "it must be a mapping")
            except ValueError as error:
                self._problem(where, str(error))
        if self.problems:
            more = len(self.problems) - LISTED
            rest = [Problem(f"{more:,} more such problems", self.place)] if more > 0 else []
            raise ProblemError([*self.problems[:LISTED], *rest])
        return [self._example(split, pictures[number], files[number], found[number]) for number in pictures]

    def _example(self, split: SplitName, picture: Mapping[str, Any], file: Path, found: list[Stated]) -> Example:
        size = picture["width"], picture["height"]
        items = fitted(found, size, self.repairs)
        name = picture["file_name"] if split == "training" else f"{split}/{picture['file_name']}"
        read = partial(_read, file, items, self.class_names, size, self.masks)
        return Example(name, split, read, file, self.place)

    def _by_id(self, key: str) -> dict[int, Mapping[str, Any]]:
        """Return the items of a list by their ids."""
        found: dict[int, Mapping[str, Any]] = {}
        for position, item in enumerate(self.content[key]):
            number = item.get("id") if isinstance(item, dict) else None
            if not isinstance(number, int):
                self._problem(f"{key}[{position}]", f"the id must be a whole number (received {number!r})")
            elif number in found:
                self._problem(f"{key}[{position}]", f"the id {number} is another one's already")
            else:
                found[number] = item
        return found

    def _picture(self, number: int, picture: Mapping[str, Any]) -> Path:
        """Return a picture's file, after a look at what is said of it."""
        name, sides = picture.get("file_name"), [picture.get(side) for side in ("width", "height")]
        if not isinstance(name, str) or not name:
            self._problem(f"image {number}", "it has no file_name")
            return self.images
        if not all(isinstance(side, int) and side > 0 for side in sides):
            self._problem(f"image {number}", f"width and height must be whole numbers above 0 (received {sides})")
        file = self.images / name
        if not file.is_file():
            self._problem(f"image {number}", f"there is no picture {file}")
        return file

    def _object(self, item: Mapping[str, Any], where: str) -> Stated:
        """Return an object. Raises `KeyError` or `ValueError` when it is none."""
        if item["category_id"] not in self.names:
            known = ", ".join(map(str, list(self.names)[:10]))
            raise ValueError(f"there is no category with the id {item['category_id']} (there are {known})")
        crowd = item.get("iscrowd", 0)
        if crowd not in (0, 1):
            raise ValueError(f"iscrowd must be 0 or 1 (received {crowd!r})")
        outline = item.get("segmentation") if self.masks else None
        if self.masks and not _is_outline(outline):
            raise ValueError("the segmentation must be polygons of three or more points, or run lengths")
        place = Place(f"{self.place.file}: {where}", 0, 0)
        return Stated(_corners(item["bbox"]), self.names[item["category_id"]], place, bool(crowd), outline)

    def _problem(self, where: str, message: str) -> None:
        self.problems.append(Problem(f"{where}: {message}", self.place))


def _content(file: Path) -> dict[str, list[Any]]:
    """Return what a JSON file holds. Raises `ProblemError` when that is not of this format."""
    try:
        content = json.loads(file.read_bytes())
    except json.JSONDecodeError as error:
        raise ProblemError(
            Problem(f"this is no JSON ({error.msg})", Place(str(file), error.lineno, error.colno))
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ProblemError(Problem(f"{file} cannot be read ({getattr(error, 'strerror', None) or error})")) from None
    wanted = ("images", "annotations", "categories")
    lists = [key for key in wanted if isinstance(content, dict) and isinstance(content.get(key), list)]
    if missing := [key for key in wanted if key not in lists]:
        hint = "Is this a file of the instances? Those of captions, results and panoptic masks are others."
        message = f"it has no list {' and no list '.join(missing)}"
        raise ProblemError(Problem(message, Place(str(file), 0, 0), hint=hint))
    found: dict[str, list[Any]] = content
    return found


def _corners(box: Any) -> Corners:
    numbers = box if isinstance(box, list) and len(box) == 4 else []
    if not numbers or not all(isinstance(n, int | float) and math.isfinite(n) for n in numbers):
        raise ValueError(f"the bbox must be left, top, width and height (received {box!r})")
    left, top, width, height = numbers
    return left, top, left + width, top + height


def _is_outline(outline: Any) -> bool:
    if isinstance(outline, dict):
        counts, size = outline.get("counts"), outline.get("size")
        known = isinstance(counts, str) or (isinstance(counts, list) and all(isinstance(n, int) for n in counts))
        return known and isinstance(size, list) and len(size) == 2
    return isinstance(outline, list) and bool(outline) and all(map(_is_polygon, outline))


def _is_polygon(polygon: Any) -> bool:
    return (
        isinstance(polygon, list)
        and len(polygon) >= 6
        and len(polygon) % 2 == 0
        and all(isinstance(number, int | float) and math.isfinite(number) for number in polygon)
    )


def _read(
    file: Path, items: Sequence[Stated], class_names: Sequence[str], size: tuple[int, int], masks: bool
) -> dict[str, Any]:
    """Return one example. Raises `ValueError` when the picture has another size than the JSON file says."""
    true = size_of(file)
    if true != size:
        raise ValueError(f"it has {true[0]}x{true[1]} pixels, and its annotations are for {size[0]}x{size[1]}")
    truth = truth_of(items, class_names, flags_crowds=True)
    if masks:
        outlines, crowd = [item.outline for item in items], [item.crowd for item in items]
        truth |= instances_of(outlines, truth["bounding_boxes"]["labels"], size[::-1], crowd)
    return {"images": content_of(file), **truth}
