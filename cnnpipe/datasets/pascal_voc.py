"""Pictures with one XML file of boxes each, as Pascal VOC and LabelImg write them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from cnnpipe.datasets import Dataset, Example, Examples, SplitName
from cnnpipe.datasets._objects import Repairs, Stated, class_list, example_of, fitted
from cnnpipe.datasets._pictures import pictures_in, size_of
from cnnpipe.datasets._split_lists import names_in, stated_lists
from cnnpipe.datasets._xml import Element, parsed
from cnnpipe.datasets.image_folder import SplitFolders, existing
from cnnpipe.errors import Place, Problem, ProblemError
from cnnpipe.spec import RecipePath, nearest

CORNERS = ("xmin", "ymin", "xmax", "ymax")
FLAGS = {"0": False, "1": True}
Listed = tuple[SplitName | None, Place]


class PascalVoc(Dataset):
    """`PATH/Annotations/NAME.xml` and `PATH/JPEGImages/NAME.jpg`; lists of names tell the splits where there are some.

    Boxes are `xmin`, `ymin`, `xmax`, `ymax` in pixels (Everingham et al. 2010, "The Pascal visual object classes").
    """

    keys: ClassVar[frozenset[str]] = frozenset({"images", "labels", "bounding_boxes"})
    also_called: ClassVar[tuple[str, ...]] = ("voc", "pascal", "xml", "labelimg", "voc2007", "voc2012")
    type: Literal["pascal_voc"] = "pascal_voc"
    path: RecipePath
    """The folder; relative to the recipe."""
    annotations: str = Field(default="Annotations", min_length=1)
    """Its folder of XML files."""
    images: str = Field(default="JPEGImages", min_length=1)
    """Its folder of pictures, of any format that can be read."""
    lists: str = Field(default="ImageSets/Main", min_length=1)
    """Its folder of lists, text files with one name a line. Where it is missing, content decides on the split."""
    splits: SplitFolders | None = None
    """Which list is which split, without `.txt`; when left out their names tell: `train`, `val`, `test`."""
    classes: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Class names in their order; None: those of the training objects, sorted."""
    first_pixel: Literal[0, 1] = 0
    """What the upper left pixel is called. 1 as in Pascal VOC's own files, whose boxes include their last pixel; 0 as
    most programs write them, with the edges of a box in `xmax` and `ymax`."""
    difficult: Literal["use", "crowd"] = "use"
    """What becomes of objects that are marked as difficult: they count as all others do, or as crowds, which are
    neither trained on nor missed in scores."""

    def class_names(self) -> tuple[str, ...] | None:
        """Return what the recipe says."""
        return self.classes

    def open(self, folder: Path) -> Examples:
        """Read all annotations; examples are named as the XML files.

        Raises:
            ProblemError: A folder, file or picture is missing; a file is no such XML, or holds unknown classes.
        """
        root = existing(folder / self.path, "folder")
        texts = existing(root / self.annotations, "folder", "data.source.annotations")
        pictures = {file.relative_to(root / self.images).with_suffix("").as_posix(): file
                    for file in pictures_in(existing(root / self.images, "folder", "data.source.images"))}  # fmt: skip
        listed, notes = self._listed(root, texts)
        repairs, problems = Repairs(), list[Problem]()
        found: dict[str, tuple[Path, Place, list[Stated]]] = {}
        for name, (_, place) in listed.items():
            try:
                found[name] = self._read(name, texts / f"{name}.xml", place, pictures, repairs)
            except ProblemError as error:
                problems += error.problems
        if problems:
            raise ProblemError(problems)
        names = class_list(self.classes, {name: (listed[name][0], items) for name, (_, _, items) in found.items()})
        examples = tuple(self._example(name, listed[name][0], *parts, names) for name, parts in found.items())
        return Examples(examples, names, notes, repairs.by_kind())

    def _example(
        self, name: str, split: SplitName | None, file: Path, place: Place, items: list[Stated], names: tuple[str, ...]
    ) -> Example:
        return example_of(name, split, file, place, items, names, self.difficult == "crowd")

    def _listed(self, root: Path, texts: Path) -> tuple[Mapping[str, Listed], tuple[str, ...]]:
        """Return all names with their splits and where they are listed, and what there is to say of the others."""
        there = sorted(file.relative_to(texts).with_suffix("").as_posix() for file in texts.rglob("*.xml"))
        lists = root / self.lists
        if not lists.is_dir() and (self.splits is not None or self.lists != type(self).model_fields["lists"].default):
            existing(lists, "folder", "data.source.lists")
        files = stated_lists(lists, self.splits, "data.source.splits") if lists.is_dir() else {}
        if not files:
            if not there:
                raise ProblemError(Problem(f"{texts} holds no XML files", path="data.source.annotations"))
            return {name: (None, Place(str(texts / f"{name}.xml"), 1, 1)) for name in there}, ()
        if "training" not in files:
            hint = "Name the list for training in splits."
            raise ProblemError(Problem(f"{lists} has no train.txt", path="data.source.splits", hint=hint))
        listed = names_in(files)
        rest = [name for name in there if name not in listed]
        return listed, (f"XML files that no list names: {len(rest):,}, such as {rest[0]}.xml.",) if rest else ()

    def _read(
        self, name: str, file: Path, place: Place, pictures: Mapping[str, Path], repairs: Repairs
    ) -> tuple[Path, Place, list[Stated]]:
        """Return the picture, the place and the objects of an XML file."""
        if not file.is_file():
            raise ProblemError(Problem(f"there is no {file}", place))
        root = parsed(file)
        picture = pictures.get(name) or pictures.get(Path(root.text("filename")).with_suffix("").as_posix())
        if picture is None:
            meant = nearest(name, list(pictures))
            hint = f"Did you mean '{pictures[meant].name}'?" if meant else ""
            raise ProblemError(Problem(f"there is no picture '{name}' in {self.images}", root.place, hint=hint))
        items = [self._object(element) for element in root.children("object")]
        return picture, root.place, fitted(items, _size(root, picture), repairs)

    def _object(self, element: Element) -> Stated:
        name, box = element.text("name"), next(iter(element.children("bndbox")), None)
        if not name:
            raise ProblemError(Problem("the object has no name", element.place))
        if box is None:
            raise ProblemError(Problem("the object has no bndbox", element.place))
        left, top, right, bottom = (_number(box, corner) for corner in CORNERS)
        first = self.first_pixel
        crowd = self.difficult == "crowd" and _flag(element, "difficult")
        return Stated((left - first, top - first, right, bottom), name, box.place, crowd)


def _size(root: Element, picture: Path) -> tuple[float, float]:
    """Return width and height as the file says them, which must be those of its picture; else those of the picture."""
    sizes = list(root.children("size"))
    try:
        true = size_of(picture)
    except ValueError as error:
        raise ProblemError(Problem(str(error), root.place)) from None
    stated = tuple(_number(sizes[0], side) for side in ("width", "height")) if sizes else (0, 0)
    if stated != (0, 0) and stated != true:
        message = f"the size is {stated[0]:g}x{stated[1]:g}, but {picture} has {true[0]}x{true[1]}"
        hint = "Are the boxes those of another picture, or of one that was turned?"
        raise ProblemError(Problem(message, sizes[0].place, hint=hint))
    return true


def _number(element: Element, key: str) -> float:
    try:
        number = float(element.text(key))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ProblemError(Problem(f"'{key}' must be a number (received '{element.text(key)}')", element.place_of(key)))
    return number


def _flag(element: Element, key: str) -> bool:
    text = element.text(key) or "0"
    if text not in FLAGS:
        raise ProblemError(Problem(f"'{key}' must be 0 or 1 (received '{text}')", element.place_of(key)))
    return FLAGS[text]
