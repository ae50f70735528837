"""What the ranges of activations are measured on: a choice of training examples, without augmentation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cnnpipe.bundle.subject import Subject
from cnnpipe.recipe.exports import PlannedExport
from cnnpipe.task import Arrays

if TYPE_CHECKING:
    import numpy as np


def write_calibration(export: PlannedExport, subject: Subject, file: Path) -> None:
    """Write the chosen examples as `.npz`: inputs before normalization, by tensor name."""
    import numpy as np

    with file.open("wb") as stream:
        np.savez(stream, **calibration_inputs(export, subject))  # type: ignore[arg-type]


def calibration_inputs(export: PlannedExport, subject: Subject) -> Arrays:
    """Return the chosen examples: inputs before normalization, by tensor name."""
    return subject.network_inputs("training", chosen_rows(export, subject))


def chosen_rows(export: PlannedExport, subject: Subject) -> list[int]:
    """Return which training examples are chosen, in the order of the split.

    `random` takes any; `balanced` goes round the labels and takes one of each that has some left.
    """
    import numpy as np

    order = np.random.default_rng(subject.seed).permutation(len(subject.splits["training"]))
    if export.calibration_choice == "balanced":
        labels = _labels(subject)[order]
        turns = np.zeros(len(order), np.int64)
        for label in np.unique(labels):
            turns[labels == label] = np.arange((labels == label).sum())
        order = order[np.argsort(turns, kind="stable")]
    return sorted(order[: export.calibration_examples].tolist())


def _labels(subject: Subject) -> np.ndarray:
    """Return a number for each training example, equal where the task's labels are equal."""
    import numpy as np

    (name,) = [target for target, key in subject.task.augmented.items() if key == "labels"]
    targets = subject.splits["training"].targets[name]
    return np.unique(targets.reshape(len(targets), -1), axis=0, return_inverse=True)[1].reshape(-1)
