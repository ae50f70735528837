"""Checkpoints: every variable of a training in one file that is replaced in one step.

Keras's own formats lose the state of random generators inside a model (dropout), so a training that goes on from them
is another training. Here all variables are kept: weights, statistics, generators, optimizer, sums of metrics.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from cnnpipe import files
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.runs import Run
from cnnpipe.training.pace import Pace

if TYPE_CHECKING:
    import keras

STATE = "checkpoints/state.npz"
BEST = "checkpoints/best.npz"


@dataclass
class Progress:
    """How far a training is.

    Args:
        pace: Steps per epoch and per call.
        step: Steps taken, over all epochs.
        best: Best value of the headline metric on the validation split so far.
        best_epoch: When it was reached, counted from 1; of equal epochs the last.
        waited: Epochs without improvement.
        stopped: Whether early stopping ended the training.
        seconds: Time spent training, over all processes.
    """

    pace: Pace
    step: int = 0
    best: float | None = None
    best_epoch: int = 0
    waited: int = 0
    stopped: bool = False
    seconds: float = 0.0

    @property
    def epochs(self) -> int:
        """Return the number of finished epochs."""
        return self.step // self.pace.steps_per_epoch


@dataclass(frozen=True)
class Checkpoint:
    """What a state file holds: progress, all variables, and inside an epoch the sums of its metrics."""

    progress: Progress
    variables: Sequence[np.ndarray]
    sums: Sequence[np.ndarray] = field(default=())


def save_state(run: Run, model: keras.Model, progress: Progress, inside_epoch: bool) -> None:
    """Write the state of a compiled model."""
    sums = model.metrics_variables if inside_epoch else []
    arrays = {**_arrays("variable", state_variables(model)), **_arrays("sum", sums)}
    _write(run.folder / STATE, {"progress": np.array(json.dumps(asdict(progress))), **arrays})


def has_state(run: Run) -> bool:
    """Whether a training of this run can go on from a checkpoint."""
    return (run.folder / STATE).exists()


def load_state(run: Run) -> Checkpoint | None:
    """Return the last state of a run, None when it has none yet.

    Raises:
        ProblemError: The file is damaged.
    """
    if not has_state(run):
        return None
    arrays = _read(run.folder / STATE)
    kept = json.loads(str(arrays.pop("progress")))
    progress = Progress(**{**kept, "pace": Pace(**kept["pace"])})
    variables, sums = (
        [arrays[name] for name in sorted(arrays) if name.startswith(kind)] for kind in ("variable", "sum")
    )
    return Checkpoint(progress, variables, sums)


def save_best(run: Run, model: keras.Model) -> None:
    """Keep the weights of the best epoch."""
    _write(run.folder / BEST, _arrays("variable", model.variables))


def restore_best(run: Run, model: keras.Model) -> None:
    """Put back the weights of the best epoch."""
    arrays = _read(run.folder / BEST)
    assign(model.variables, [arrays[name] for name in sorted(arrays)], run)


def state_variables(model: keras.Model) -> list[Any]:
    """Return everything that a training changes, in a fixed order; the optimizer must be built."""
    return [*model.variables, *model.optimizer.variables]


def assign(variables: Sequence[Any], arrays: Sequence[np.ndarray], run: Run) -> None:
    """Set variables.

    Raises:
        ProblemError: They belong to another network.
    """
    shapes = [[tuple(item.shape) for item in items] for items in (variables, arrays)]
    if shapes[0] != shapes[1]:
        raise ProblemError(Problem(
            f"the checkpoint of {run.folder} belongs to another network or optimizer",
            hint="Train anew, or go back to the recipe that the run was started with.",
        ))  # fmt: skip
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def _arrays(kind: str, variables: Sequence[Any]) -> dict[str, np.ndarray]:
    return {f"{kind}{number:06d}": np.asarray(variable) for number, variable in enumerate(variables)}


def _write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise files.writing_failed(path, error) from error
    with files.replacing(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]


def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise ProblemError(Problem(f"{path} cannot be read ({error})", hint="Train anew.")) from error
