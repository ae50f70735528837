"""Which source of boxes or masks a folder or file is, told by what lies there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from cnnpipe.datasets import IGNORED, Dataset, SplitName
from cnnpipe.datasets._mask_values import values_in
from cnnpipe.datasets._tables import header_of
from cnnpipe.datasets.coco import Coco
from cnnpipe.datasets.csv_boxes import CsvBoxes
from cnnpipe.datasets.image_folder import SPLIT_FOLDERS
from cnnpipe.datasets.mask_folder import MASKS, MaskFolder
from cnnpipe.datasets.pascal_voc import PascalVoc
from cnnpipe.datasets.yolo import Yolo

Found = tuple[Dataset, tuple[str, ...]]
"""A source, and what was decided, one sentence each."""
MASK_KEYS = frozenset({"segmentation_masks", "instance_masks"})
IMAGE_FOLDERS = ("images", "imgs", "image", "img", "JPEGImages")
MASK_FOLDERS = ("masks", "mask", "labels", "annotations", "labelled", "segmentation", "SegmentationClass")
BOX_COLUMNS = (
    ("xyxy", ("xmin", "ymin", "xmax", "ymax")),
    ("xyxy", ("x_min", "y_min", "x_max", "y_max")),
    ("xyxy", ("x1", "y1", "x2", "y2")),
    ("xyxy", ("left", "top", "right", "bottom")),
    ("xywh", ("x", "y", "width", "height")),
    ("xywh", ("x", "y", "w", "h")),
)
IMAGE_COLUMNS = ("image", "filename", "file", "file_name", "image_path", "path", "image_id")
LABEL_COLUMNS = ("label", "class", "class_name", "category", "name")
SPLIT_COLUMNS = ("split", "set", "subset", "partition")
MOST = 0.9
"""Share of masks that must count their objects to be taken for masks of instances."""
LOOKED_AT = 50
"""How many masks are opened to tell what their numbers are."""


def recognized(path: Path, needs: frozenset[str]) -> Found | None:
    """Return the source that a file or folder is, when it gives what is needed; None when nothing fits.

    Args:
        path: A JSON file, a data.yaml, a table, or a folder.
        needs: The keys of examples that are needed.

    Raises:
        ProblemError: A file that tells it cannot be read.
    """
    path = path.absolute()
    ways: tuple[Callable[[Path, bool], Iterator[Found]], ...] = (_coco, _yolo, _voc, _tables, _masks)
    for way in ways:
        for found in way(path, bool(needs & MASK_KEYS)):
            if needs <= found[0].gives():
                return found
    return None


def _coco(path: Path, masks: bool) -> Iterator[Found]:
    """One JSON file; or one for each split, in its folder or named for it."""
    parts: dict[SplitName, dict[str, str]] = {}
    files = [path] if path.suffix.lower() == ".json" else sorted(path.glob("*.json")) + sorted(path.glob("*/*.json"))
    for file in files if path.is_dir() or path.is_file() else ():
        images = _images_of(file)
        if images is None:
            continue
        words = [file.parent.name.lower(), *file.stem.lower().replace("2017", "").split("_")]
        splits = [SPLIT_FOLDERS[word] for word in words if word in SPLIT_FOLDERS]
        split: SplitName = splits[0] if splits and path.is_dir() else "training"
        parts.setdefault(split, {"annotations": str(file), "images": str(images)})
    if "training" in parts:
        yield Coco.model_validate({**parts, "masks": masks}), ()


def _images_of(file: Path) -> Path | None:
    """Return the folder of the pictures of a JSON file, if it is one of COCO's."""
    try:
        content = json.loads(file.read_bytes())
        name = content["images"][0]["file_name"]
        content["annotations"], content["categories"]
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None
    parent = file.parent
    split = file.stem.rpartition("_")[2]
    places = (parent / "images", parent, parent.parent / "images", parent.parent / split, parent.parent)
    return next((place for place in places if (place / str(name)).is_file()), None)


def _yolo(path: Path, masks: bool) -> Iterator[Found]:
    files = [path] if path.is_file() else [path / "data.yaml", path / "data.yml", path / "dataset.yaml"]
    for file in files:
        if file.is_file() and file.suffix.lower() in (".yaml", ".yml"):
            yield Yolo(path=str(file), masks=masks), ()


def _voc(path: Path, masks: bool) -> Iterator[Found]:
    for images in ("JPEGImages", "images"):
        if not masks and (path / images).is_dir() and any((path / "Annotations").glob("*.xml")):
            yield PascalVoc(path=str(path), images=images), ()


def _tables(path: Path, masks: bool) -> Iterator[Found]:
    if masks or path.suffix.lower() not in (".csv", ".tsv") or not path.is_file():
        return
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    header = {name.lower(): name for name in header_of(path, delimiter)}
    image, label, split = (
        next((header[name] for name in names if name in header), None)
        for names in (IMAGE_COLUMNS, LABEL_COLUMNS, SPLIT_COLUMNS)
    )
    for box_format, columns in BOX_COLUMNS:
        if image and label and all(name in header for name in columns):
            named = {"box_columns": tuple(header[name] for name in columns), "box_format": box_format}
            fields = {"image_column": image, "label_column": label, "split_column": split, "delimiter": delimiter}
            yield CsvBoxes.model_validate({"path": str(path), **named, **fields}), ()


def _masks(path: Path, masks: bool) -> Iterator[Found]:
    """Folders of pictures and masks, whose numbers tell whether they are classes or instances."""
    training = next((p for p in (path / "train", path / "training", path) if _pair(p)), None)
    pair = _pair(training) if training else None
    if training is None or pair is None:
        return
    images, folder = pair
    files = sorted(p for p in (training / folder).rglob("*") if p.suffix.lower() in MASKS)
    kind, notes = _meaning(files[:: max(1, len(files) // LOOKED_AT)])
    fields = {"path": str(path), "images": images, "masks": folder, "mask_suffix": _suffix(training, images, files[0])}
    yield MaskFolder.model_validate({**fields, **kind}), notes


def _pair(folder: Path) -> tuple[str, str] | None:
    for images in IMAGE_FOLDERS:
        for masks in MASK_FOLDERS:
            if (folder / images).is_dir() and any(p.suffix.lower() in MASKS for p in (folder / masks).rglob("*")):
                return images, masks
    return None


def _suffix(root: Path, images: str, mask: Path) -> str:
    """Return what the name of a mask has behind that of its picture."""
    stems = (picture.stem for picture in (root / images).rglob("*") if mask.stem.startswith(picture.stem))
    return mask.stem.removeprefix(max(stems, key=len, default=mask.stem))


def _meaning(files: list[Path]) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Return the fields that say what is in masks, and how that was decided."""
    found = [values for values in map(values_in, files) if values]
    shades = {value for values in found for value in values if isinstance(value, tuple)} - {(0, 0, 0)}
    if shades:
        named = {f"class_{number}": shade for number, shade in enumerate(sorted(shades), 1)}
        return {"classes": named}, (_names(f"{len(shades)} colours beside black"),)
    numbered = [[value for value in values if isinstance(value, int) and value] for values in found]
    if _numbers_objects(numbered):
        note = "Masks number what they show from 1 on, each anew, so these were taken for instances of one class."
        return {"classes": ("object",), "mask_type": "instances"}, (note, "Call it by its name in data.source.classes.")
    numbers = sorted({value for values in numbered for value in values})
    ignore = IGNORED if IGNORED in numbers and len(numbers) > 1 else None
    classes = {f"class_{number}": number for number in numbers if number != ignore} or {"class_1": 1}
    more = (f"The number {IGNORED} was taken for pixels that count nowhere.",) if ignore else ()
    return {"classes": classes, "ignore": ignore}, (_names(f"the numbers {', '.join(map(str, numbers[:10]))}"), *more)


def _numbers_objects(numbered: list[list[int]]) -> bool:
    """Return whether masks count their objects: nearly all have the numbers 1 to n, and n differs."""
    lengths = {len(values) for values in numbered}
    counting = [values == list(range(1, len(values) + 1)) for values in numbered]
    return len(lengths) > max(2, len(numbered) // 4) and sum(counting) > MOST * len(counting)


def _names(what: str) -> str:
    return f"Masks hold {what}, and no names: call the classes by theirs in data.source.classes and task.classes."
