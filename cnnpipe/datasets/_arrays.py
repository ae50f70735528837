"""Examples that lie in arrays: what the sources of array files share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnpipe.datasets import Example, Examples, SplitName
from cnnpipe.errors import Problem, ProblemError

if TYPE_CHECKING:
    import numpy as np

CHANNELS = (1, 2, 3, 4)


@dataclass(frozen=True)
class Part:
    """The examples of one split, or of all when the source names no splits.

    Args:
        images: uint8, `(examples, height, width)` or `(examples, height, width, channels)`.
        labels: `(examples)` class numbers or names, or `(examples, classes)` of zeros and ones.
        images_name: What messages call the images: an array's or a file's name.
        labels_name: What messages call the labels.
    """

    images: np.ndarray
    labels: np.ndarray
    images_name: str
    labels_name: str


def examples_of(
    parts: Mapping[SplitName | None, Part], classes: Sequence[str] | None, notes: Sequence[str]
) -> Examples:
    """Return the examples of all parts, named by split and number.

    Args:
        parts: By split.
        classes: The class names by number, when the recipe says them.
        notes: What was decided so far.

    Raises:
        ProblemError: Images and labels are not what they should be, or do not fit each other; all of it at once.
    """
    if problems := [problem for part in parts.values() for problem in _problems(part, classes)]:
        raise ProblemError(problems)
    names = tuple(classes) if classes is not None else _class_names(parts)
    examples = [
        Example(f"{split}/{number:06d}" if split else f"{number:06d}", split, partial(_read, image, label))
        for split, part in parts.items()
        for number, (image, label) in enumerate(zip(part.images, _labels(part, names), strict=True))
    ]
    return Examples(tuple(examples), names, tuple(notes))


def reading_failed(file: Path, error: Exception) -> ProblemError:
    """Return the clear form of an error while an array file was read."""
    why = getattr(error, "strerror", None) or str(error).rstrip(".") or type(error).__name__
    return ProblemError(Problem(f"{file} cannot be read ({why})", path="data.source.path"))


def _problems(part: Part, classes: Sequence[str] | None) -> Iterator[Problem]:
    images, labels = part.images, part.labels
    if len(images.shape) not in (3, 4) or 0 in images.shape or (images.ndim == 4 and images.shape[3] not in CHANNELS):
        yield _wrong_shape(part)
    elif images.dtype != "uint8":
        yield _wrong_type(part)
    elif labels.ndim == 0 or len(labels) != len(images):
        count = len(labels) if labels.ndim else 1
        message = f"{part.images_name} holds {len(images)} images, but {part.labels_name} {count} labels"
        yield Problem(message, path="data.source")
    yield from _label_problems(part, classes)


def _wrong_shape(part: Part) -> Problem:
    shape = part.images.shape
    hint = "It must be (examples, height, width) or (examples, height, width, 1 to 4 channels)."
    if len(shape) == 4 and shape[1] in CHANNELS and 0 not in shape:
        hint = "Channels come last here: save images.transpose(0, 2, 3, 1)."
    return Problem(f"the images {part.images_name} have the shape {shape}", path="data.source", hint=hint)


def _wrong_type(part: Part) -> Problem:
    """Say how such images become uint8; what their values mean is for the user to know."""
    images = part.images
    hint = "Images are uint8, 0..255."
    if images.dtype.kind == "f":
        low, high = float(images.min()), float(images.max())
        convert = "(images * 255).round()" if 0 <= low and high <= 1 else "images.round().clip(0, 255)"
        hint += f" These reach from {low:g} to {high:g}: save {convert}.astype('uint8'), if that is what they mean."
    return Problem(f"the images {part.images_name} are {images.dtype}", path="data.source", hint=hint)


def _label_problems(part: Part, classes: Sequence[str] | None) -> Iterator[Problem]:
    import numpy as np

    labels, name = part.labels, part.labels_name
    if labels.ndim == 2 and labels.shape[1] > 1:
        if not np.isin(labels, (0, 1)).all():
            hint = "Save class numbers of shape (examples), or zeros and ones of shape (examples, classes)."
            yield Problem(
                f"the labels {name} of shape {labels.shape} are not all 0 or 1", path="data.source", hint=hint
            )
        elif classes is not None and len(classes) != labels.shape[1]:
            message = f"the labels {name} have {labels.shape[1]} columns, but there are {len(classes)} class names"
            yield Problem(message, path="data.source.classes")
        return
    if labels.dtype.kind not in "iuU" or labels.ndim not in (1, 2):
        hint = "They must be whole numbers or text, one for each image."
        yield Problem(f"the labels {name} are {labels.dtype} of shape {labels.shape}", path="data.source", hint=hint)
    elif labels.dtype.kind == "U":
        strangers = sorted(set(labels.ravel().tolist()) - set(classes)) if classes is not None else []
        if strangers:
            message = f"the labels {name} say '{strangers[0]}', which is none of the classes"
            yield Problem(message, path="data.source.classes")
    elif labels.size:
        yield from _number_problems(labels.ravel(), name, classes)


def _number_problems(labels: np.ndarray, name: str, classes: Sequence[str] | None) -> Iterator[Problem]:
    wrong = (labels < 0) | (labels >= len(classes)) if classes is not None else labels < 0
    if wrong.any():
        first = int(wrong.argmax())
        allowed = f"0 to {len(classes) - 1}" if classes is not None else "0 or more"
        message = f"{int(wrong.sum())} of {len(labels)} labels in {name} are out of range"
        hint = f"Class numbers must be {allowed}; label {first} is {labels[first]}."
        yield Problem(message, path="data.source", hint=hint)


def _class_names(parts: Mapping[SplitName | None, Part]) -> tuple[str, ...]:
    """Return the classes that labels name: their numbers as text, or the text itself, sorted.

    A class of another split that training lacks is found later, as any class without examples.
    """
    labels = [part.labels for part in parts.values()]
    if labels[0].ndim == 2 and labels[0].shape[1] > 1:
        return tuple(map(str, range(labels[0].shape[1])))
    if labels[0].dtype.kind == "U":
        return tuple(sorted({name for array in labels for name in array.ravel().tolist()}))
    return tuple(map(str, range(max((int(array.max()) for array in labels if array.size), default=0) + 1)))


def _labels(part: Part, names: Sequence[str]) -> list[Any]:
    """Return the class name of each example, or the tuple of them where there are zeros and ones."""
    if part.labels.ndim == 2 and part.labels.shape[1] > 1:
        return [tuple(name for name, given in zip(names, row, strict=True) if given) for row in part.labels.tolist()]
    labels = part.labels.ravel().tolist()
    return labels if part.labels.dtype.kind == "U" else [names[number] for number in labels]


def _read(image: np.ndarray, label: Any) -> dict[str, Any]:
    return {"images": image, "labels": label}
