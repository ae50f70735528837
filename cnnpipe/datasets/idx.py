"""IDX files, plain or gzipped, as MNIST and its successors come (LeCun, Cortes and Burges 1998)."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from cnnpipe.datasets import Dataset, Examples, SplitName
from cnnpipe.datasets._arrays import Part, examples_of, reading_failed
from cnnpipe.datasets.image_folder import existing
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.spec import FilePath, RecipePath, Spec

if TYPE_CHECKING:
    import numpy as np

STANDARD: dict[SplitName, str] = {"training": "train", "test": "t10k"}
"""How the two standard pairs of files begin."""
UNSIGNED_BYTE = 8


class Pair(Spec):
    """A file of images and the file of their labels."""

    images: RecipePath
    """Three dimensions (examples, height, width), or four with channels last."""
    labels: RecipePath
    """One class number for each image."""


class Idx(Dataset):
    """A folder with `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and the same two of `t10k`, or pairs of files.

    Each may end in `.gz`. Without names, a class is called by its number.
    """

    also_called: ClassVar[tuple[str, ...]] = ("ubyte", "idx3", "emnist", "kmnist", "lecun")
    type: Literal["idx"] = "idx"
    path: Annotated[str | None, FilePath(), Field(min_length=1)] = None
    """The folder with the four standard names; relative to the recipe. None: the pairs below say the files."""
    training: Pair | None = None
    """The files for training."""
    validation: Pair | None = None
    """The files for validation; None: cut from training."""
    test: Pair | None = None
    """The files for the test; None: cut from training."""
    classes: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Class names by their numbers."""

    @model_validator(mode="after")
    def _says_where(self) -> Idx:
        pairs = [name for name in ("training", "validation", "test") if getattr(self, name) is not None]
        if self.path is not None and pairs:
            raise ValueError(f"give either path or {' and '.join(pairs)}, not both")
        if self.path is None and self.training is None:
            raise ValueError("needs path (a folder with the four standard names) or training (a pair of files)")
        return self

    def class_names(self) -> tuple[str, ...] | None:
        """Return what the recipe says."""
        return self.classes

    def open(self, folder: Path) -> Examples:
        """Read the files; examples are named by split and number.

        Raises:
            ProblemError: A file is missing, damaged or no IDX file of bytes; images and labels do not fit.
        """
        files = _standard(existing(folder / self.path, "folder")) if self.path is not None else self._stated(folder)
        parts: dict[SplitName | None, Part] = {}
        problems: list[Problem] = []
        for split, (images, labels) in files.items():
            try:
                parts[split] = Part(_array(images), _array(labels), str(images), str(labels))
            except ProblemError as error:
                problems += error.problems
        if problems:
            raise ProblemError(problems)
        return examples_of(parts, self.classes, ())

    def _stated(self, folder: Path) -> dict[SplitName, tuple[Path, Path]]:
        pairs: Mapping[SplitName, Pair | None] = {
            "training": self.training,
            "validation": self.validation,
            "test": self.test,
        }
        return {
            split: (
                existing(folder / pair.images, "file", f"data.source.{split}.images"),
                existing(folder / pair.labels, "file", f"data.source.{split}.labels"),
            )
            for split, pair in pairs.items()
            if pair is not None
        }


def _standard(folder: Path) -> dict[SplitName, tuple[Path, Path]]:
    """Return the files of the standard names. The pair of the test may be missing, half a pair may not."""
    found: dict[SplitName, tuple[Path, Path]] = {}
    for split, start in STANDARD.items():
        names = f"{start}-images-idx3-ubyte", f"{start}-labels-idx1-ubyte"
        files = [next((p for p in (folder / name, folder / f"{name}.gz") if p.is_file()), None) for name in names]
        missing = [name for name, file in zip(names, files, strict=True) if file is None]
        if missing and (split == "training" or len(missing) == 1):
            message = f"{folder} holds no {' and no '.join(missing)} (nor with .gz)"
            hint = "Give files of other names as training, validation and test, each with images and labels."
            raise ProblemError(Problem(message, path="data.source.path", hint=hint))
        if not missing:
            images, labels = files
            found[split] = (images, labels)  # type: ignore[assignment]
    return found


def _array(file: Path) -> np.ndarray:
    """Return what an IDX file holds: two zero bytes, type, number of dimensions, sizes (big-endian), the bytes."""
    import numpy as np

    try:
        content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise reading_failed(file, error) from None
    if len(content) < 4 or content[:2] != b"\0\0":
        raise _bad(file, "it is no IDX file", "IDX files begin with two zero bytes.")
    kind, dimensions = content[2], content[3]
    if kind != UNSIGNED_BYTE:
        raise _bad(file, f"it holds values of type 0x{kind:02x}", "Only unsigned bytes (0x08) can be read.")
    start = 4 + 4 * dimensions
    shape = struct.unpack(f">{dimensions}I", content[4:start]) if len(content) >= start else None
    if shape is None or len(content) - start != math.prod(shape):
        what = f"{' x '.join(map(str, shape))} values are announced" if shape else "its header is cut off"
        raise _bad(file, f"{what}, and {max(len(content) - start, 0)} bytes follow", "Is the file complete?")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _bad(file: Path, what: str, hint: str) -> ProblemError:
    return ProblemError(Problem(f"{file} cannot be read: {what}", path="data.source.path", hint=hint))
