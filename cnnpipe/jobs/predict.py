"""Ask a model about files: the Keras model of a run, or the file of a bundle, which needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cnnpipe.bundle.open import open_bundle
from cnnpipe.bundle.parity import holds_choices
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.jobs.given_files import given_files
from cnnpipe.jobs.results import PredictResult
from cnnpipe.jobs.trained import bundle_folder, open_trained
from cnnpipe.preprocessing.image import opaque_picture
from cnnpipe.task import Arrays, Facts, Prediction, Task
from cnnpipe.tiling import answer_in_tiles

if TYPE_CHECKING:
    from PIL.Image import Image as Picture


def predict(
    model: str | Path,
    files: str | Path | Sequence[str | Path],
    runs_folder: str | Path = Path("runs"),
    draw: str | Path | None = None,
    tiles: bool = False,
) -> PredictResult:
    """Return what a model says about files.

    Args:
        model: A run (a folder, a name and number, or a name: its newest run), or a bundle folder.
        files: Files, folders and patterns; or one of them.
        runs_folder: Where names of runs are looked up.
        draw: Folder for pictures with what the model says drawn over them; it is made when it is not there.
        tiles: Whether pictures are answered for in tiles of the network's input size, as large as they are, instead of
            shrunk to that size: for large pictures and models that answer for every pixel.

    Raises:
        ProblemError: There is no such model, or a file is not there or cannot be read; names each. Or the model's task
            has nothing to draw, or does not answer for every pixel, so that tiles cannot be put together.
    """
    found = given_files(files)
    if folder := bundle_folder(model):
        with open_bundle(folder) as bundle:
            task, facts = bundle.task, bundle.facts
            choices = [tensor.name for tensor in bundle.runnable.facts.outputs if holds_choices(tensor)]
            predictions = _in_tiles(found, task, facts, bundle.outputs, choices) if tiles else bundle.predict(found)
    else:
        trained = open_trained(model, runs_folder)
        task, facts = trained.loaded.recipe.task, trained.facts
        predictions = _in_tiles(found, task, facts, trained.outputs) if tiles else trained.predict(found)
    pictures = () if draw is None else _drawn(found, predictions, task, facts, Path(draw))
    return PredictResult(found, predictions, pictures)


def _in_tiles(
    files: Sequence[Path],
    task: Task,
    facts: Facts,
    outputs: Callable[[Arrays], Arrays],
    choices: Sequence[str] = (),
) -> list[Prediction]:
    """Return what the model says about files, each in tiles of the size of its input."""
    preprocessing, (tensor, *_) = facts.preprocessing, task.signature(facts).inputs
    shape = preprocessing.input_shape()
    height, width, mode = shape[0], shape[1], "L" if shape[2] == 1 else "RGB"

    def answer(tiles: np.ndarray) -> dict[str, np.ndarray]:
        found = outputs({tensor: np.stack([preprocessing.apply(tile) for tile in tiles])})
        for name, values in found.items():
            if values.shape[1:3] != (height, width):
                message = f"tiles need an answer for each pixel, and '{name}' of this model has none (--tiles)"
                raise ProblemError(Problem(message, hint="Leave --tiles out."))
        return dict(found)

    predictions = []
    for file in files:
        picture = _opened(file).convert(mode)
        pixels = np.asarray(picture).reshape(picture.height, picture.width, shape[2])
        whole = answer_in_tiles(pixels, (height, width), answer, choices)
        predictions += task.decode({name: values[None] for name, values in whole.items()}, facts)
    return predictions


def _opened(file: Path) -> Picture:
    try:
        return opaque_picture(file.read_bytes())
    except (OSError, ValueError) as error:
        raise ProblemError(Problem(f"{file} cannot be read: {error}")) from None


def _drawn(
    found: Sequence[Path], predictions: Sequence[Prediction], task: Task, facts: Facts, folder: Path
) -> tuple[Path, ...]:
    """Write the pictures with their annotations; files of the same name get a number."""
    from cnnpipe.report.annotated_picture import annotated_picture

    made: list[Path] = []
    for file, prediction in zip(found, predictions, strict=True):
        annotations = task.annotations(prediction, facts)
        if annotations is None:
            message = f"the task '{task.type}' says nothing that could be drawn over a picture (--draw)"
            raise ProblemError(Problem(message, hint="Leave --draw out."))
        folder.mkdir(parents=True, exist_ok=True)
        picture = annotated_picture(np.asarray(_opened(file)), annotations)
        name = folder / f"{file.stem}.png"
        name = name if name not in made else folder / f"{file.stem}_{len(made)}.png"
        picture.save(name)
        made.append(name)
    return tuple(made)
