"""An .npz file of NumPy with images and labels as arrays, by the names of Keras's own data sets or by others."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from cnnpipe.datasets import SPLITS, Dataset, Examples, SplitName
from cnnpipe.datasets._arrays import Part, examples_of, reading_failed
from cnnpipe.datasets.image_folder import SPLIT_FOLDERS, existing
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.spec import RecipePath, nearest

if TYPE_CHECKING:
    import numpy as np


class Numpy(Dataset):
    """Arrays such as `x_train`, `y_train`, `x_test`, `y_test` (or `train_images` …), or `x` and `y` for all examples.

    Images are uint8, `(examples, height, width)` or with 1 to 4 channels last. Labels are class numbers or names, one
    for each image, or zeros and ones of shape `(examples, classes)` where an image has any number of classes. What
    the file lacks, validation or test, is cut from training. Objects (pickles) are never read.
    """

    also_called: ClassVar[tuple[str, ...]] = ("npz", "npy", "np", "arrays", "savez", "medmnist", "load_data")
    type: Literal["numpy"] = "numpy"
    path: RecipePath
    """The .npz file; relative to the recipe."""
    image_key: str = Field(default="x", min_length=1)
    """Name of the array of images; the names of splits are `KEY_train` or `train_KEY`, with train, val and test."""
    label_key: str = Field(default="y", min_length=1)
    """Name of the array of labels, in the same way."""
    classes: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Class names by their numbers; None: numbers as text, or the names that the labels are."""

    def class_names(self) -> tuple[str, ...] | None:
        """Return what the recipe says."""
        return self.classes

    def open(self, folder: Path) -> Examples:
        """Read the arrays; examples are named by split and number.

        Raises:
            ProblemError: The file is missing, damaged, or lacks an array; arrays are not what they should be.
        """
        import numpy as np

        file = existing(folder / self.path, "file")
        try:
            if not zipfile.is_zipfile(file):
                hint = "Save images and labels together with numpy.savez."
                raise _problem(f"{file} is no .npz file, or only the beginning of one", hint)
            with np.load(file, allow_pickle=False) as archive:
                names = list(archive.files)
                images, labels = (_found(names, key) for key in (self.image_key, self.label_key))
                _check(file, names, images, labels, self)
                parts = {
                    split: Part(_array(archive, images[split]), _array(archive, labels[split]), name, labels[split])
                    for split, name in images.items()
                }
        except (OSError, EOFError, ValueError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
            raise reading_failed(file, error) from None
        rest = sorted(set(names) - set(images.values()) - set(labels.values()))
        notes = [f"Ignored in {file.name}: {', '.join(rest)}."] if rest else []
        return examples_of(parts, self.classes, notes)


def _found(names: Sequence[str], key: str) -> dict[SplitName | None, str]:
    """Return the names of the arrays called by `key`: of each split, and under None that of all examples."""
    found: dict[SplitName | None, str] = {}
    for name in names:
        before, after = name.removesuffix(f"_{key}"), name.removeprefix(f"{key}_")
        word = before if before != name else after
        split = SPLIT_FOLDERS.get(word) if word != name else None
        if name != key and split is None:
            continue
        if split in found:
            raise _problem(f"{found[split]} and {name} both are the {split} split", "Keep one of them in the file.")
        found[split] = name
    return {split: found[split] for split in (None, *SPLITS) if split in found}


def _check(
    file: Path,
    names: Sequence[str],
    images: dict[SplitName | None, str],
    labels: dict[SplitName | None, str],
    spec: Numpy,
) -> None:
    """Refuse a file without the arrays, with arrays that have no partner, or with `x` beside `x_train`."""
    problems = []
    for field, key, found in (("image_key", spec.image_key, images), ("label_key", spec.label_key, labels)):
        if not found:
            meant = nearest(key, list(names))
            hint = f"Did you mean '{meant}'?" if meant else f"The file holds {', '.join(names) or 'nothing'}."
            message = f"{file} holds no array '{key}', nor '{key}_train' or 'train_{key}'"
            problems.append(Problem(message, path=f"data.source.{field}", hint=hint))
        elif None in found and len(found) > 1:
            others = ", ".join(name for split, name in found.items() if split)
            message = f"{file} holds '{found[None]}' of all examples, and also {others}"
            problems.append(Problem(message, path=f"data.source.{field}", hint="Keep one or the other in the file."))
    if images and labels:
        for split in images.keys() ^ labels.keys():
            name, partner = (images.get(split), "labels") if split in images else (labels[split], "images")
            problems.append(Problem(f"{file} holds '{name}', but no {partner} for it", path="data.source"))
    if problems:
        raise ProblemError(problems)


def _array(archive: np.lib.npyio.NpzFile, name: str) -> np.ndarray:
    try:
        return archive[name]
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        message = f"the array '{name}' holds Python objects, which are not read: such a file could run any program"
        raise _problem(message, "Save images of one size as one uint8 array, labels as whole numbers.") from None


def _problem(message: str, hint: str) -> ProblemError:
    return ProblemError(Problem(message, path="data.source.path", hint=hint))
