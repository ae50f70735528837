"""A folder of pictures and a folder of masks, which say with numbers or colours what each pixel shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from cnnpipe.datasets import SPLITS, Dataset, Example, Examples, SplitName
from cnnpipe.datasets._mask_values import MaskValues, Value, masked_classes, masked_instances, numbered
from cnnpipe.datasets._pictures import EXTENSIONS, pictures_in, size_of
from cnnpipe.datasets._split_lists import names_in, stated_lists
from cnnpipe.datasets.image_folder import SPLIT_FOLDERS, SplitFolders, content_of, existing
from cnnpipe.errors import Place, Problem, ProblemError
from cnnpipe.spec import RecipePath

Name = Annotated[str, Field(min_length=1)]
MASKS = (".png", ".bmp", ".gif", ".tif", ".tiff", ".webp")
"""How names of masks end: formats that keep numbers as they are."""
LISTED = 3


@dataclass(frozen=True)
class _Pair:
    """A picture with its mask, and where a list names it."""

    name: str
    split: SplitName | None
    picture: Path
    mask: Path
    place: Place | None = None


class MaskFolder(Dataset):
    """`PATH/images/NAME.jpg` with `PATH/masks/NAME.png`.

    Folders for splits may stand above (`train/images`) or below (`images/train`), or lists tell the splits. A mask is
    as large as its picture and holds one number or colour a pixel; PNG with a palette counts as numbers.
    """

    keys: ClassVar[frozenset[str]] = frozenset(
        {"images", "labels", "segmentation_masks", "instance_masks", "bounding_boxes"}
    )
    more_keys_with: ClassVar[str] = "mask_type: instances"
    also_called: ClassVar[tuple[str, ...]] = (
        "masks",
        "segmentation_folder",
        "segmentation",
        "cityscapes",
        "ade20k",
        "camvid",
        "label_images",
    )
    type: Literal["mask_folder"] = "mask_folder"
    path: RecipePath
    """The folder; relative to the recipe."""
    classes: Annotated[tuple[Name, ...] | dict[Name, Value], Field(min_length=1)]
    """Names in the order of their numbers 1, 2, 3 and so on; or a table of names with the number of each, or with the
    colour of each as [red, green, blue]."""
    mask_type: Literal["classes", "instances"] = "classes"
    """What the numbers or colours are: classes; or instances of one class, each with a number or colour of its own."""
    images: Name = "images"
    """Name of the folders of pictures."""
    masks: Name = "masks"
    """Name of the folders of masks."""
    mask_suffix: str = ""
    """What the name of a mask has behind that of its picture, before the extension, such as `_mask`."""
    background: Value | None = None
    """The number or colour of what is none of the classes; None: 0 or black, unless that is a class. Instances are
    told by colours where this is a colour."""
    ignore: Value | None = None
    """The number or colour of pixels that count neither in training nor in scores, such as 255; None: there is none."""
    lists: Name | None = None
    """Its folder of lists, text files with one name a line, such as `ImageSets/Segmentation`; None: folders or content
    tell the splits."""
    splits: SplitFolders | None = None
    """Which folder or list is which split; when left out their names tell: `train`, `val`, `test`."""

    @model_validator(mode="after")
    def _are_values(self) -> MaskFolder:
        if self.mask_type == "instances" and len(self.classes) > 1:
            raise ValueError("masks of instances are of one class: give one name in classes")
        if self.mask_type == "instances" and isinstance(self.classes, dict):
            raise ValueError("masks of instances have no number for a class: give its name alone in classes")
        self._values()
        return self

    def gives(self) -> frozenset[str]:
        """Return instances with their boxes only where the masks tell them."""
        return self.keys - ({"instance_masks", "bounding_boxes"} if self.mask_type == "classes" else set())

    def class_names(self) -> tuple[str, ...]:
        """Return what the recipe says."""
        return tuple(self.classes)

    def open(self, folder: Path) -> Examples:
        """Pair pictures with masks; an example's name is its picture's path below the folder.

        Raises:
            ProblemError: Folders are missing, or pictures have no mask.
        """
        root = existing(folder / self.path, "folder")
        pairs, notes = self._listed(root) if self.lists else self._in_folders(root)
        read = partial(_read, self._values(), self.class_names(), self.mask_type == "instances")
        examples = (Example(p.name, p.split, partial(read, p.picture, p.mask), p.picture, p.place) for p in pairs)
        return Examples(tuple(examples), self.class_names(), tuple(notes))

    def _values(self) -> MaskValues:
        """Return what numbers or colours mean. Raises `ValueError` when one means two things."""
        stated = numbered(self.classes)
        return MaskValues.of(stated if self.mask_type == "classes" else (), self.background, self.ignore)

    def _listed(self, root: Path) -> tuple[list[_Pair], list[str]]:
        """Return the pairs that lists name, wherever below the folders of pictures and masks they are."""
        lists = existing(root / str(self.lists), "folder", "data.source.lists")
        files = stated_lists(lists, self.splits, "data.source.splits")
        if "training" not in files:
            raise _problem(f"{lists} has no train.txt", "splits", "Name the list for training in splits.")
        images, masks = (existing(root / name, "folder", "data.source.path") for name in (self.images, self.masks))
        pictures, there = _by_stem(images), _masks_by_stem(masks)
        pairs, problems = [], []
        for name, (split, place) in names_in(files).items():
            picture, mask = pictures.get(name), there.get(name + self.mask_suffix)
            if picture is None or mask is None:
                what = (
                    f"picture '{name}' in {images}"
                    if picture is None
                    else f"mask '{name}{self.mask_suffix}' in {masks}"
                )
                problems.append(Problem(f"there is no {what}", place))
            else:
                pairs.append(_Pair(name, split, picture, mask, place))
        if problems:
            raise ProblemError(problems)
        return pairs, []

    def _in_folders(self, root: Path) -> tuple[list[_Pair], list[str]]:
        pairs: list[_Pair] = []
        notes: list[str] = []
        for split, (images, masks) in self._folders(root).items():
            found, there = _by_stem(images), _masks_by_stem(masks)
            lacking = [picture for name, picture in found.items() if name + self.mask_suffix not in there]
            if lacking:
                raise self._without_masks(lacking, len(found), masks)
            if not found:
                raise _problem(
                    f"{images} holds no pictures", "path", f"Names of pictures end in {', '.join(EXTENSIONS)}."
                )
            pairs += [
                _Pair(picture.relative_to(root).as_posix(), split, picture, there[name + self.mask_suffix])
                for name, picture in found.items()
            ]
            if rest := sorted(set(there) - {name + self.mask_suffix for name in found}):
                notes.append(f"Masks in {masks} without a picture: {len(rest):,}, such as {there[rest[0]].name}.")
        return pairs, notes

    def _folders(self, root: Path) -> Mapping[SplitName | None, tuple[Path, Path]]:
        """Return the folders of pictures and masks of each split, or of all."""
        images, masks = root / self.images, root / self.masks
        if not images.is_dir():
            found = {split: root / name for split, name in self._split_names(root).items()}
            if "training" not in found:
                hint = f"It needs '{self.images}' and '{self.masks}', or train/{self.images} and train/{self.masks}."
                raise _problem(f"{root} has no folder '{self.images}'", "path", hint)
            folders = {split: (place / self.images, place / self.masks) for split, place in found.items()}
        elif inner := self._split_names(images):
            if "training" not in inner:
                raise _problem(f"{images} has no folder for training", "splits", "Call it train.")
            folders = {split: (images / name, masks / name) for split, name in inner.items()}
        else:
            folders = {None: (images, masks)}
        for pair in folders.values():
            for place in pair:
                existing(place, "folder", "data.source.path")
        return folders

    def _split_names(self, place: Path) -> dict[SplitName | None, str]:
        """Return the names of the folders of splits in a folder, in the order of splits."""
        if self.splits is not None:
            return {split: name for split in SPLITS if (name := getattr(self.splits, split)) is not None}
        there = {SPLIT_FOLDERS.get(p.name.lower()): p.name for p in sorted(place.iterdir()) if p.is_dir()}
        return {split: there[split] for split in SPLITS if split in there}

    def _without_masks(self, lacking: list[Path], count: int, masks: Path) -> ProblemError:
        named = ", ".join(picture.name for picture in lacking[:LISTED])
        hint = (
            f"A mask is called like its picture{f' with {self.mask_suffix} behind' if self.mask_suffix else ''}, and "
        )
        hint += f"ends in {', '.join(MASKS)}; set mask_suffix where names differ."
        lossy = masks / (lacking[0].stem + self.mask_suffix + ".jpg")
        if lossy.is_file():
            hint = f"{lossy} is a JPEG, which changes numbers and colours: masks must be saved without loss, as PNG."
        return _problem(
            f"{len(lacking):,} of {count:,} pictures have no mask in {masks}, such as {named}", "masks", hint
        )


def _by_stem(folder: Path) -> dict[str, Path]:
    """Return the pictures below a folder by their paths without extension. Raises `ProblemError` for two of one."""
    return _unique((file.relative_to(folder).with_suffix("").as_posix(), file) for file in pictures_in(folder))


def _masks_by_stem(folder: Path) -> dict[str, Path]:
    files = (file for file in sorted(folder.rglob("*")) if file.suffix.lower() in MASKS and file.name[0] != ".")
    return _unique((file.relative_to(folder).with_suffix("").as_posix(), file) for file in files)


def _unique(named: Iterator[tuple[str, Path]]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for name, file in named:
        if found.setdefault(name, file) != file:
            raise _problem(f"{file} and {found[name]} have the same name", "path", "Remove or rename one of them.")
    return found


def _read(
    values: MaskValues, class_names: tuple[str, ...], instances: bool, picture: Path, mask: Path
) -> dict[str, Any]:
    """Return one example. Raises `ValueError` when the mask is none, or none of this picture."""
    truth = (masked_instances if instances else masked_classes)(mask, values, size_of(picture)[::-1])
    labels = truth.pop("numbers")
    return {"images": content_of(picture), "labels": tuple(class_names[number - 1] for number in labels), **truth}


def _problem(message: str, key: str, hint: str) -> ProblemError:
    return ProblemError(Problem(message, path=f"data.source.{key}", hint=hint))
