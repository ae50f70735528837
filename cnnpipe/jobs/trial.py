"""One trial of a search, in a process of its own: a training like any other, judged on the validation split."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cnnpipe.bundle.convert import untrained_file
from cnnpipe.bundle.timing import time_file
from cnnpipe.bundle.workers import Workers
from cnnpipe.data import LoadedData, load_data
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.events import Listener
from cnnpipe.graph import Graph
from cnnpipe.jobs import fitting
from cnnpipe.pretrained import locate_weights, pinned
from cnnpipe.recipe.compiled import compile_recipe
from cnnpipe.recipe.exports import planned_exports, possible_rungs
from cnnpipe.recipe.load import LoadedRecipe, load_recipe
from cnnpipe.runs import RESOLVED, Run
from cnnpipe.training.checkpoints import has_state
from cnnpipe.tuning.records import LATENCY

_data: dict[str, LoadedData] = {}
"""The examples of the last trial in this process, by what the recipe says of them."""
_workers = Workers()
"""What converts and times files; each of its processes starts when it is needed, and ends with this one."""


def train_trial(folder: str, runs_folder: str, objectives: Sequence[str], threads: int | None) -> dict[str, Any]:
    """Train the recipe in the folder of a trial, and return what was measured. The test split is not looked at.

    Args:
        folder: The folder, with `resolved.yaml`, and a checkpoint where the training goes on.
        runs_folder: Where earlier runs lie.
        objectives: What shall be good; only what is named is measured.
        threads: How many threads the training may compute in; None for as many as TensorFlow chooses.

    Returns:
        `score`: the headline metric on the validation split, of the epoch whose weights are kept; `examples` of that
        split; `epochs` trained; `cpu_seconds` of all threads; `data_fingerprint`; `latency` in milliseconds, where it
        is an objective.

    Raises:
        ProblemError: What the recipe, its data or its training have wrong.
    """
    begin = time.process_time()
    _forget()
    _compute_in(threads)
    run, notes = Run(Path(folder)), fitting.Notes(Listener())
    loaded, resume = load_recipe(run.folder / RESOLVED), has_state(run)
    weights = None
    if not resume:
        weights = locate_weights(loaded, runs_folder, notes)
        loaded = pinned(loaded, weights, runs_folder)
    data = _examples(loaded)
    run.update(data_fingerprint=data.fingerprint)
    compiled = compile_recipe(loaded, data.facts)
    measured = {}
    if LATENCY in objectives:  # before the training, which a file that cannot be written is not worth
        measured = {LATENCY: _latency(loaded, loaded.recipe.task.deployed(compiled.graphs))}
    prepared = fitting.Prepared(loaded, data, compiled.graphs, compiled.trained, weights)
    fitted = fitting.train_in(run, prepared, notes, resume)
    run.update(notes=notes.texts)
    rows, training = fitted.result.history, loaded.recipe.training
    kept = rows[fitted.result.best_epoch - 1] if training.restore == "best" else rows[-1]
    return {
        **measured,
        "score": float(kept[f"validation_{loaded.recipe.task.headline().name}"]),
        "examples": len(data.splits["validation"]),
        "epochs": fitted.result.epochs,
        "cpu_seconds": round(time.process_time() - begin, 3),
        "data_fingerprint": data.fingerprint,
    }


def _forget() -> None:
    """Let go of the networks of earlier trials in this process."""
    from cnnpipe.quiet import quiet_tensorflow

    quiet_tensorflow()
    import keras

    keras.utils.clear_session()
    gc.collect()


def _compute_in(threads: int | None) -> None:
    """Bound the threads of this process, which its first trial decides."""
    import tensorflow as tf

    settings = tf.config.threading
    if threads is not None and settings.get_intra_op_parallelism_threads() != threads:
        settings.set_intra_op_parallelism_threads(threads)
        settings.set_inter_op_parallelism_threads(threads)


def _latency(loaded: LoadedRecipe, graph: Graph) -> float:
    """Return the median milliseconds of one example in the file of the first export, in one thread on this host.

    The weights are not trained yet, on which the time does not depend.
    """
    import numpy as np

    export = possible_rungs(planned_exports(loaded.recipe)[0])[0]
    with untrained_file(export, graph, _workers) as file:
        generator = np.random.default_rng(0)
        one = {
            tensor.name: generator.integers(0, 100, tensor.shape).astype(tensor.dtype) for tensor in file.facts.inputs
        }
        timing = time_file(file.exporter, file.file, one, threads=1)
    if timing is None:
        raise ProblemError(Problem(f"the runtime of {export.name} cannot be told to use one thread"))
    return timing.p50


def _examples(loaded: LoadedRecipe) -> LoadedData:
    """Return the examples; those of the trial before where it had the same."""
    said = loaded.recipe.model_dump(mode="json")
    key = json.dumps([said["task"], {**said["data"], "augmentation": None}], sort_keys=True)
    if key not in _data:
        _data.clear()
        _data[key] = load_data(loaded, Listener())
    return _data[key]
