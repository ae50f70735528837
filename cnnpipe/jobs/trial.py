"""One trial of a search, in a process of its own: a training like any other, judged on the validation split."""

from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import Any

from cnnpipe.data import LoadedData, load_data
from cnnpipe.events import Listener
from cnnpipe.jobs import fitting
from cnnpipe.pretrained import locate_weights, pinned
from cnnpipe.recipe.compiled import compile_recipe
from cnnpipe.recipe.load import LoadedRecipe, load_recipe
from cnnpipe.runs import RESOLVED, Run
from cnnpipe.training.checkpoints import has_state

_data: dict[str, LoadedData] = {}
"""The examples of the last trial in this process, by what the recipe says of them."""


def train_trial(folder: str, runs_folder: str) -> dict[str, Any]:
    """Train the recipe in the folder of a trial, and return what was measured. The test split is not looked at.

    Args:
        folder: The folder, with `resolved.yaml`, and a checkpoint where the training goes on.
        runs_folder: Where earlier runs lie.

    Returns:
        `score`: the headline metric on the validation split, of the epoch whose weights are kept; `examples` of that
        split; `epochs` trained; `data_fingerprint`.

    Raises:
        ProblemError: What the recipe, its data or its training have wrong.
    """
    _forget()
    run, notes = Run(Path(folder)), fitting.Notes(Listener())
    loaded, resume = load_recipe(run.folder / RESOLVED), has_state(run)
    weights = None
    if not resume:
        weights = locate_weights(loaded, runs_folder, notes)
        loaded = pinned(loaded, weights, runs_folder)
    data = _examples(loaded)
    run.update(data_fingerprint=data.fingerprint)
    compiled = compile_recipe(loaded, data.facts)
    prepared = fitting.Prepared(loaded, data, compiled.graphs, compiled.trained, weights)
    fitted = fitting.train_in(run, prepared, notes, resume)
    run.update(notes=notes.texts)
    rows, training = fitted.result.history, loaded.recipe.training
    kept = rows[fitted.result.best_epoch - 1] if training.restore == "best" else rows[-1]
    return {
        "score": float(kept[f"validation_{loaded.recipe.task.headline().name}"]),
        "examples": len(data.splits["validation"]),
        "epochs": fitted.result.epochs,
        "data_fingerprint": data.fingerprint,
    }


def _forget() -> None:
    """Let go of the networks of earlier trials in this process."""
    from cnnpipe.quiet import quiet_tensorflow

    quiet_tensorflow()
    import keras

    keras.utils.clear_session()
    gc.collect()


def _examples(loaded: LoadedRecipe) -> LoadedData:
    """Return the examples; those of the trial before where it had the same."""
    said = loaded.recipe.model_dump(mode="json")
    key = json.dumps([said["task"], {**said["data"], "augmentation": None}], sort_keys=True)
    if key not in _data:
        _data.clear()
        _data[key] = load_data(loaded, Listener())
    return _data[key]
