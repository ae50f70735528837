"""The finished model as a file that plain Keras opens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cnnpipe import files

if TYPE_CHECKING:
    import keras


def save_model(model: keras.Model, path: Path) -> None:
    """Write a `.keras` file in one step, without optimizer and loss: smaller, and nothing in it is ours.

    Raises:
        ProblemError: The file cannot be written.
    """
    import keras

    with files.replacing(path) as temporary:
        keras.Model(model.input, model.output, name=model.name).save(temporary)
