"""Weight files that Keras writes: can they be read, and do they hold what a model has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnpipe.errors import Problem, ProblemError

if TYPE_CHECKING:
    import keras

SUFFIXES = (".h5", ".hdf5")
LONGEST = 300
"""How much of Keras's own message is shown."""


def check_file(file: Path, model: keras.Model | None = None) -> None:
    """Hold a file against a model.

    Args:
        file: What a user gave.
        model: When given, a model that Keras has loaded the file into: it passes over more weights, and some missing.

    Raises:
        ProblemError: There is no such file, it is no weights file, or it holds more or less than the model takes.
    """
    if not file.is_file():
        raise ProblemError(Problem(f"there is no weights file {file}"))
    if file.suffix not in SUFFIXES:
        raise ProblemError(Problem(f"{file} is no weights file", hint="Keras's end in '.weights.h5' or '.h5'."))
    import h5py

    try:
        with h5py.File(file) as content:
            count = _arrays(content)
    except OSError as error:
        raise ProblemError(Problem(f"{file} is damaged, or no weights file ({told(error)})")) from error
    if model is not None and count != len(model.weights):
        raise ProblemError(Problem(
            f"{file} holds {count} arrays, and the network without its head takes {len(model.weights)}",
            hint="Give weights that were saved without the head (Keras: include_top=False).",
        ))  # fmt: skip


def told(error: Exception) -> str:
    """Return Keras's message in one line of bearable length."""
    text = " ".join(str(error).split()).partition(" Target variable:")[0].rstrip(". ")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


def _arrays(group: Mapping[str, Any]) -> int:
    """Return how many weights a file holds; those of an optimizer, and Keras's seeds, do not count."""
    return sum(
        _arrays(item) if isinstance(item, Mapping) else 1
        for name, item in group.items()
        if name not in ("optimizer_weights", "optimizer", "seed_generator")
    )
