"""Checkpoints: every variable of a training in one file that is replaced in one step.

Keras's own formats lose the state of random generators inside a model (dropout), so a training that goes on from them
is another training. Here all variables are kept: weights, statistics, generators, optimizer, sums of metrics.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from cnnpipe import files
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.runs import Run
from cnnpipe.training.progress import Progress

if TYPE_CHECKING:
    import keras

STATE = "checkpoints/state.npz"
BEST = "checkpoints/best.npz"
GROUPS = ("network", "part", "optimizer", "sums")


@dataclass(frozen=True)
class Checkpoint:
    """What a state file holds.

    Args:
        progress: How far the training is.
        network: Variables of the whole network.
        part: Further variables of what is trained in this phase.
        optimizer: Variables of the optimizer.
        sums: Inside an epoch, the sums of its metrics.
    """

    progress: Progress
    network: Sequence[np.ndarray]
    part: Sequence[np.ndarray]
    optimizer: Sequence[np.ndarray]
    sums: Sequence[np.ndarray] = ()


def save_state(run: Run, network: keras.Model, part: keras.Model, progress: Progress) -> None:
    """Write the state of a training.

    Args:
        run: Where to.
        network: The whole network.
        part: What is trained in this phase, compiled: the network, or a model of some of its layers.
        progress: How far it is.
    """
    groups = {
        "network": network.variables,
        "part": further_variables(network, part),
        "optimizer": part.optimizer.variables,
        "sums": part.metrics_variables if progress.epoch_step else [],
    }
    arrays = {name: array for kind, variables in groups.items() for name, array in _arrays(kind, variables).items()}
    _write(run.folder / STATE, {"progress": np.array(json.dumps(progress.as_json())), **arrays})


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
    progress = Progress.from_json(json.loads(str(arrays.pop("progress"))))
    return Checkpoint(progress, **{
        kind: [arrays[name] for name in sorted(arrays) if name.startswith(kind)]
        for kind in GROUPS
    })  # fmt: skip


def progress_of(run: Run) -> Progress:
    """Return how far the training of a run is. Raises `ProblemError` when its checkpoint is damaged."""
    saved = load_state(run)
    return saved.progress if saved else Progress()


def save_best(run: Run, arrays: Sequence[np.ndarray]) -> None:
    """Keep the variables of the network after the best epoch."""
    _write(run.folder / BEST, _arrays("network", arrays))


def restore_best(run: Run, network: keras.Model) -> None:
    """Put back the variables of the best epoch."""
    arrays = _read(run.folder / BEST)
    assign(network.variables, [arrays[name] for name in sorted(arrays)], run)


def further_variables(network: keras.Model, part: keras.Model) -> list[Any]:
    """Return the variables of a part that the network does not have, in a fixed order."""
    known = {id(variable) for variable in network.variables}
    return [variable for variable in part.variables if id(variable) not in known]


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


def copies(variables: Sequence[Any]) -> list[np.ndarray]:
    """Return copies of variables."""
    return [np.asarray(variable).copy() for variable in variables]


def _arrays(kind: str, variables: Sequence[Any]) -> dict[str, np.ndarray]:
    return {f"{kind}{number:06d}": np.asarray(variable) for number, variable in enumerate(variables)}


def _write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays by name, in one step. Raises `ProblemError` when they cannot be written."""
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
