"""Features of TensorFlow Datasets: which are read, and whether they are what they should be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cnnpipe.datasets._mask_values import MaskValues
from cnnpipe.errors import Problem, ProblemError


@dataclass(frozen=True)
class Features:
    """Which features are read, and what their numbers mean; `several`: a picture may have any number of classes."""

    image_key: str
    label_key: str
    class_names: tuple[str, ...]
    several: bool
    box_key: str | None = None
    crowd_key: str | None = None
    mask_key: str | None = None
    mask_values: MaskValues | None = None


def features_read(builder: Any, image_key: str, label_key: str) -> Features:
    """Return how examples are read.

    Raises:
        ProblemError: Features are missing, or are no picture and no class; the files are of an unusual format.
    """
    check_pictures(builder, image_key)
    check_kinds(builder, {"label_key": label_key}, "ClassLabel")
    label, classes = dict(builder.info.features).get(label_key), feature(builder, label_key)
    return Features(image_key, label_key, tuple(classes.names) if classes.num_classes else (), label is not classes)


def check_pictures(builder: Any, image_key: str) -> None:
    """Raise `ProblemError` when the feature is no picture of bytes, or the files are of an unusual format."""
    import numpy as np

    check_kinds(builder, {"image_key": image_key}, "Image")
    kind = np.dtype(feature(builder, image_key).np_dtype).name
    if kind not in ("uint8", "uint16"):
        raise _problem(f"the pictures of '{builder.info.full_name}' are {kind}, no bytes", "image_key")
    if builder.info.file_format is not None and builder.info.file_format.value != "tfrecord":
        hint = "Remove the folder, and it is prepared anew as tfrecord."
        raise _problem(f"{builder.data_dir} is of the format {builder.info.file_format.value}", "data_dir", hint)


def feature(builder: Any, key: str) -> Any:
    """Return a feature, or that of one item where it is a list; a slash leads into it. None when there is none."""
    found: Any = builder.info.features
    for part in key.split("/"):
        found = getattr(found, "feature", found)
        found = dict(found).get(part) if hasattr(found, "keys") else None
    return getattr(found, "feature", found)


def _all_features(features: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield all features by their keys, those in lists of objects after a slash."""
    for name, found in dict(features).items():
        inner = getattr(found, "feature", None)
        if hasattr(inner, "keys"):
            yield from _all_features(inner, f"{above}{name}/")
        else:
            yield f"{above}{name}", found


def check_kinds(builder: Any, keys: Mapping[str, str], kind: str) -> None:
    """Raise `ProblemError` when a feature is missing, or of another kind."""
    import tensorflow_datasets as tfds

    for field, key in keys.items():
        if not isinstance(feature(builder, key), getattr(tfds.features, kind)):
            raise no_feature(builder, field, key, kind)


def no_feature(builder: Any, field: str, key: str, kind: str) -> ProblemError:
    """Return the problem that a feature is missing or of another kind, with the features that there are."""
    found = feature(builder, key)
    what = f"is {type(found).__name__}" if found is not None else "does not exist"
    listed = ", ".join(f"{name} ({type(found).__name__})" for name, found in _all_features(builder.info.features))
    problem = f"the feature '{key}' of '{builder.info.full_name}' {what}, and {kind} is needed"
    return _problem(problem, field, f"Its features: {listed}.")


def _problem(message: str, key: str, hint: str = "") -> ProblemError:
    return ProblemError(Problem(message, path=f"data.source.{key}", hint=hint))
