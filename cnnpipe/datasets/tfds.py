"""Any data set of TensorFlow Datasets by its name, prepared before or from raw files, with or without a network."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from cnnpipe.datasets import Dataset, Example, Examples, SplitName
from cnnpipe.datasets._mask_values import MaskValues, Value, numbered
from cnnpipe.datasets._tfds_features import Features, check_kinds, check_pictures, feature, features_read, no_feature
from cnnpipe.datasets._tfds_truth import boxes_of, mask_of
from cnnpipe.datasets._tfrecord import features_of, record_positions
from cnnpipe.datasets.image_folder import existing
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.quiet import silent_stderr
from cnnpipe.spec import FilePath, nearest

NOTES = "cnnpipe_notes.json"
"""What was decided while the data was prepared; it lies beside the prepared data and is told in every run."""
FOLDER_DATASETS = ("imagefolder", "image_folder", "folder_dataset.imagefolder")
WELL_KNOWN = (
    "mnist", "fashion_mnist", "kmnist", "emnist", "cifar10", "cifar100", "svhn_cropped", "beans", "stl10", "food101",
    "tf_flowers", "cats_vs_dogs", "rock_paper_scissors", "horses_or_humans", "oxford_flowers102", "eurosat",
)  # fmt: skip
"""Data sets whose name somebody may write as a type; TensorFlow Datasets itself is asked for all others."""
CONNECT_SECONDS = 3
OptionalPath = Annotated[str | None, FilePath(), Field(min_length=1)]
OptionalName = Annotated[str | None, Field(min_length=1)]


class Tfds(Dataset):
    """Prepares the data set once, as TensorFlow Datasets does, then reads its files by itself.

    Reading needs neither TensorFlow nor a network. Pictures stay encoded until they are decoded like any file. Labels
    are one class or a list of classes; with them may go boxes (`label_key: objects/label, box_key: objects/bbox`), or
    in their place masks (`mask_key: segmentation_mask, mask_classes: {pet: 1}`). A split that the data set lacks is cut
    from training.
    """

    keys: ClassVar[frozenset[str]] = frozenset({"images", "labels", "bounding_boxes", "segmentation_masks"})
    more_keys_with: ClassVar[str] = "box_key or mask_key"
    names_need_a_library: ClassVar[bool] = True
    also_called: ClassVar[tuple[str, ...]] = ("tensorflow_datasets", "tensorflow", "tf_datasets")
    type: Literal["tfds"] = "tfds"
    name: str = Field(min_length=1)
    """Its name there, with configuration and version where wanted: `beans`, `cifar10:3.0.2`, `NAME/CONFIG:VERSION`."""
    data_dir: OptionalPath = None
    """Where prepared data lies or goes, made where it is not there yet; None: TensorFlow Datasets' own, TFDS_DATA_DIR
    or ~/tensorflow_datasets."""
    manual_dir: OptionalPath = None
    """Folder with the raw files, under the names that they have on the network; None: they are downloaded."""
    image_key: str = Field(default="image", min_length=1)
    """The feature with the picture."""
    label_key: str = Field(default="label", min_length=1)
    """The feature with the class or the classes; a slash leads into a list of objects, as in `objects/label`."""
    box_key: OptionalName = None
    """The feature with the boxes of those classes, such as `objects/bbox`; None: boxes are not read."""
    crowd_key: OptionalName = None
    """The feature that marks boxes as groups, such as `objects/is_crowd`; None: there is none."""
    mask_key: OptionalName = None
    """The feature with the class of each pixel, a picture of numbers or colours; None: masks are not read."""
    mask_classes: tuple[str, ...] | dict[str, Value] | None = Field(default=None, min_length=1)
    """What masks hold: names in the order of the numbers from 1, or a table of names with numbers or colours."""
    mask_background: Value | None = None
    """The number or colour of what is none of the classes; None: 0 or black, unless that is a class."""
    mask_ignore: Value | None = None
    """The number or colour of pixels that count neither in training nor in scores; None: there is none."""
    training_split: str = Field(default="train", min_length=1)
    """Its name of the split for training."""
    validation_split: OptionalName = "validation"
    """Its name of the split for validation; one that it lacks, or null, is cut from training."""
    test_split: OptionalName = "test"
    """Its name of the split for the test; one that it lacks, or null, is cut from training."""

    @classmethod
    def meant_by(cls, word: str) -> Mapping[str, Any]:
        """Return the data set that is meant where its name stands in the place of a type."""
        name = word.lower().replace("-", "_")
        return {"name": name} if name in WELL_KNOWN else {}

    def gives(self) -> frozenset[str]:
        """Boxes and masks only where their features are named."""
        boxes, masks = (["bounding_boxes"] * bool(self.box_key), ["segmentation_masks"] * bool(self.mask_key))
        return frozenset({"images", "labels", *boxes, *masks})

    def ignored_keys(self) -> dict[str, str]:
        """Masks have classes of their own; crowds are marked boxes."""
        without = dict.fromkeys(("mask_classes", "mask_background", "mask_ignore"), "because mask_key is null")
        ignored = {} if self.mask_key else without
        return ignored | ({} if self.box_key else {"crowd_key": "because box_key is null"})

    @model_validator(mode="after")
    def _are_of_one_kind(self) -> Tfds:
        if self.mask_key and (self.box_key or self.mask_classes is None):
            given = "masks and boxes have other classes: give mask_key or box_key" if self.box_key else ""
            raise ValueError(given or "mask_key needs mask_classes, the classes that the numbers in masks mean")
        self._mask_values()
        return self

    def _mask_values(self) -> MaskValues | None:
        if self.mask_key is None or self.mask_classes is None:
            return None
        return MaskValues.of(numbered(self.mask_classes), self.mask_background, self.mask_ignore)

    def _read_features(self, builder: Any) -> Features:
        """Return which features are read. Raises `ProblemError` when the data set has others."""
        if (values := self._mask_values()) is not None:
            check_pictures(builder, self.image_key)
            check_kinds(builder, {"mask_key": str(self.mask_key)}, "Image")
            names = tuple(self.mask_classes or ())
            return Features(self.image_key, "", names, True, mask_key=self.mask_key, mask_values=values)
        found = features_read(builder, self.image_key, self.label_key)
        if self.box_key is None:
            return found
        check_kinds(builder, {"box_key": self.box_key}, "BBoxFeature")
        if self.crowd_key is not None and feature(builder, self.crowd_key) is None:
            raise no_feature(builder, "crowd_key", self.crowd_key, "a truth value")
        return replace(found, several=True, box_key=self.box_key, crowd_key=self.crowd_key)

    def class_names(self) -> tuple[str, ...] | None:
        """Return what TensorFlow Datasets tells of the classes, so that a recipe is checked before data is prepared."""
        if self.mask_key is not None:
            return tuple(self.mask_classes or ())
        if self.name.lower() in FOLDER_DATASETS:
            return None
        try:
            builder = _builder(self.name, Path(self.data_dir) if self.data_dir else None)
            names = self._read_features(builder).class_names
        except ProblemError:  # told at its line when the data is opened
            return None
        return names or None

    def open(self, folder: Path) -> Examples:
        """List the examples; prepares the data first where that was not done, which may take minutes.

        Raises:
            ProblemError: There is no such data set, its files are missing and there is no network, or it has other
                features or splits than the recipe says.
        """
        if self.name.lower() in FOLDER_DATASETS:
            hint = "Write {type: image_folder, path: …}: it reads this layout, PATH/train/CLASS/… with test beside it."
            raise _problem(f"'{self.name}' is a layout of folders", "type", hint)
        data_dir = folder / self.data_dir if self.data_dir else None
        if data_dir is not None and data_dir.exists() and not data_dir.is_dir():
            raise _problem(f"{data_dir} is no folder", "data_dir")
        manual_dir = existing(folder / self.manual_dir, "folder", "data.source.manual_dir") if self.manual_dir else None
        builder = _builder(self.name, data_dir)
        with _quiet():
            prepared = builder.is_prepared()
        if not prepared:
            self._read_features(builder)  # what does not fit is told before hours of preparation
            _prepare(self.name, builder, data_dir, manual_dir)
            builder = _builder(self.name, data_dir)
        features, splits = self._read_features(builder), _splits(builder, self)
        notes = [*_notes(Path(builder.data_dir)), *_unused(builder, splits)]
        return Examples(tuple(_examples(builder, splits, features)), features.class_names, tuple(notes))


def _examples(builder: Any, splits: Mapping[SplitName, str], features: Features) -> Iterator[Example]:
    for split, theirs in splits.items():
        files = [Path(file) for file in builder.info.splits[theirs].filepaths]
        records = ((file, position, length) for file in files for position, length in _positions(file))
        for number, record in enumerate(records):
            yield Example(f"{theirs}/{number:06d}", split, partial(_read, features, *record))


def _positions(file: Path) -> list[tuple[int, int]]:
    try:
        return record_positions(file)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        hint = f"Remove {file.parent}, and it is prepared anew."
        raise ProblemError(Problem(f"{file} cannot be read ({why})", path="data.source", hint=hint)) from None


def _read(features: Features, file: Path, position: int, length: int) -> dict[str, Any]:
    """Return one example. Raises `ValueError` when it has no picture, or no such class."""
    with file.open("rb") as stream:
        stream.seek(position)
        keys = (features.image_key, features.label_key, features.box_key, features.crowd_key, features.mask_key)
        found = features_of(stream.read(length), [key for key in keys if key])
    pictures, numbers = found.get(features.image_key, []), found.get(features.label_key, [])
    if len(pictures) != 1 or not isinstance(pictures[0], bytes):
        raise ValueError(f"it holds no picture '{features.image_key}'")
    if features.mask_key and features.mask_values is not None:
        masks = found.get(features.mask_key, [])
        return {"images": pictures[0], **mask_of(masks, pictures[0], features.mask_values, features.class_names)}
    classes = range(len(features.class_names))
    names = tuple(features.class_names[n] for n in numbers if isinstance(n, int) and n in classes)
    if len(names) < len(numbers) or not (names or features.several):
        raise ValueError(f"its '{features.label_key}' is {numbers or 'missing'}, no class: is this split labelled?")
    if features.box_key:
        boxes, crowd = found.get(features.box_key, []), found.get(features.crowd_key or "", None)
        return {"images": pictures[0], **boxes_of(boxes, numbers, crowd, pictures[0], features.class_names)}
    return {"images": pictures[0], "labels": names if features.several else names[0]}


def _builder(name: str, data_dir: Path | None) -> Any:
    """Return TensorFlow Datasets' builder. Its import is light as long as nothing is prepared or decoded."""
    import tensorflow_datasets as tfds

    try:
        with _quiet(), silent_stderr():  # some data sets import TensorFlow
            builder = tfds.builder(name, data_dir=data_dir)
            builder.info  # noqa: B018 (made when it is first asked for, by the data set's own program)
            return builder
    except tfds.core.registered.DatasetNotFoundError:
        known = tfds.list_builders(with_community_datasets=False)
        meant = nearest(name.partition("/")[0].partition(":")[0], known)
        hint = f"Did you mean '{meant}'?" if meant else "https://www.tensorflow.org/datasets/catalog lists them."
        raise _problem(f"TensorFlow Datasets has no '{name}'", "name", hint) from None
    except Exception as error:  # its constructors raise what they like
        raise _problem(f"TensorFlow Datasets cannot open '{name}' ({_first_line(error)})", "name") from None


def _prepare(name: str, builder: Any, data_dir: Path | None, manual_dir: Path | None) -> None:
    """Prepare the data in a child process, which may load TensorFlow and print what it likes.

    Raises:
        ProblemError: Raw files are missing and cannot be downloaded; or what went wrong in preparing them.
    """
    from cnnpipe.child import Child, ChildError

    if builder.MANUAL_DOWNLOAD_INSTRUCTIONS and manual_dir is None:
        what = f"'{name}' cannot be downloaded by a program, and is not prepared in {builder.data_dir}"
        raise _problem(what, "manual_dir", f"Set manual_dir. {' '.join(builder.MANUAL_DOWNLOAD_INSTRUCTIONS.split())}")
    missing = _missing(builder, manual_dir)
    online = not missing or _reachable(next(iter(missing)))
    if missing and not online and not builder.builder_configs:
        raise _missing_problem(name, builder, sorted(missing.values()), manual_dir)
    with Child("the preparation") as child:
        try:
            child.call("cnnpipe.datasets._tfds_prepare.prepare", name, data_dir, manual_dir, online, timeout=7 * 86400)
        except ChildError as error:
            raise error.about(f"preparing '{name}'", "data.source") from None


def _missing(builder: Any, manual_dir: Path | None) -> dict[str, str]:
    """Return the raw files that are neither in `manual_dir` nor downloaded before, name by address."""
    from tensorflow_datasets.core.download.resource import get_dl_fname

    downloads = root_of(builder) / "downloads"
    downloaded = {file.name for file in downloads.rglob("*")} if downloads.is_dir() else set()
    return {
        url: info.filename or url
        for url, info in builder.url_infos.items()
        if not (manual_dir and info.filename and (manual_dir / info.filename).is_file())
        and get_dl_fname(url, info.checksum) not in downloaded
    }


def root_of(builder: Any) -> Path:
    """Return the folder of all prepared data, in which that of a builder lies below its name and version."""
    return Path(builder.data_dir).parents[len(Path(builder.info.full_name).parts) - 1]


def _missing_problem(name: str, builder: Any, files: list[str], manual_dir: Path | None) -> ProblemError:
    listed = ", ".join(files[:6]) + (f" and {len(files) - 6} more" if len(files) > 6 else "")
    where = f"{manual_dir} lacks" if manual_dir else "there is no manual_dir with"
    message = f"'{name}' is not prepared in {builder.data_dir}, {where} {listed}, and the network cannot be reached"
    folder = f"into {manual_dir}" if manual_dir else "into a folder and set manual_dir to it"
    hint = f"Put the missing files {folder}; or set data_dir to a folder that holds the prepared data."
    return _problem(message, "manual_dir" if manual_dir else "name", hint)


def _reachable(url: str) -> bool:
    """Return whether the host of an address answers anything at all."""
    import requests

    try:
        requests.head(url, timeout=CONNECT_SECONDS)
    except (requests.RequestException, OSError):
        return False
    return True


def _splits(builder: Any, spec: Tfds) -> dict[SplitName, str]:
    """Return its name of each split that the source brings. One that the recipe names itself must be there."""
    known = {name: info.num_examples for name, info in builder.info.splits.items()}
    wanted: dict[SplitName, str | None] = {
        "training": spec.training_split,
        "validation": spec.validation_split,
        "test": spec.test_split,
    }
    found: dict[SplitName, str] = {}
    for split, name in wanted.items():
        field = f"{split}_split"
        if name is None:
            continue
        if name in known:
            found[split] = name
        elif split == "training" or name != type(spec).model_fields[field].default:
            listed = ", ".join(f"{name} ({count:,})" for name, count in known.items())
            hint = f"It has {listed}; parts of splits are cut by data.split."
            raise _problem(f"'{builder.info.full_name}' has no split '{name}'", field, hint)
    return found


def _unused(builder: Any, splits: Mapping[SplitName, str]) -> list[str]:
    rest = [name for name in builder.info.splits if name not in splits.values()]
    return [f"Splits of {builder.info.full_name} that are not used: {', '.join(rest)}."] if rest else []


def _notes(folder: Path) -> list[str]:
    file = folder / NOTES
    return list(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else []


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide what its log warns of while it looks for prepared data."""
    from absl import logging

    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(before)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".: ")


def _problem(message: str, key: str, hint: str = "") -> ProblemError:
    return ProblemError(Problem(message, path=f"data.source.{key}", hint=hint))
