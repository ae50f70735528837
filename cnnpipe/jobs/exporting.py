"""What `run` and `export` share: from a trained model to bundles in its run folder."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnpipe.build import get_weights, save_weights
from cnnpipe.bundle.comparison import lost_examples
from cnnpipe.bundle.export import Exported, export_all
from cnnpipe.bundle.subject import Subject
from cnnpipe.bundle.workers import Workers
from cnnpipe.data import LoadedData
from cnnpipe.datasets import SplitName
from cnnpipe.evaluation import caller
from cnnpipe.events import Listener
from cnnpipe.graph import Graph
from cnnpipe.jobs.results import ExportResult, ExportsResult
from cnnpipe.quantization.aware.learner import learner
from cnnpipe.quantization.decide import decider
from cnnpipe.recipe.exports import PlannedExport
from cnnpipe.recipe.load import LoadedRecipe
from cnnpipe.runs import Run

if TYPE_CHECKING:
    import keras

EXPORTS = "exports"


@dataclass(frozen=True)
class Source:
    """A trained model with what is needed to export it.

    Args:
        run: Its folder; bundles go to `exports/` in it.
        loaded: Its recipe.
        data: Its examples.
        graph: The network that is exported.
        model: That network in Keras, trained.
    """

    run: Run
    loaded: LoadedRecipe
    data: LoadedData
    graph: Graph
    model: keras.Model


@dataclass(frozen=True)
class Files:
    """What was written.

    Args:
        result: One result for each file, in the order that was asked for.
        scores: What was measured, by the name of the bundle and the split, as plain values.
    """

    result: ExportsResult
    scores: Mapping[str, Any]


def export_files(exports: Sequence[PlannedExport], source: Source, workers: Workers, listener: Listener) -> Files:
    """Write a bundle for every export.

    Raises:
        ProblemError: A file cannot be converted, run or written.
    """
    task = source.loaded.recipe.task
    with subject_of(source) as subject:
        written = export_all(
            exports, subject, source.run.folder / EXPORTS, workers, listener, decider(learner(source.loaded))
        )
    results = tuple(_result(one, task.headline().name, source.loaded) for one in written)
    scores = {one.export.name: {name: c.as_json() for name, c in one.comparisons.items()} for one in written}
    return Files(ExportsResult(source.run.folder, task.headline(), results), scores)


@contextmanager
def subject_of(source: Source) -> Iterator[Subject]:
    """Give what is exported; its file of weights lies in a temporary folder."""
    recipe, facts = source.loaded.recipe, source.data.facts
    with tempfile.TemporaryDirectory() as staging:
        weights = Path(staging) / "weights.npz"
        save_weights(weights, get_weights(source.model))
        call = caller(source.model, recipe.task.signature(facts))
        origin = {"run": source.run.reference, "recipe": source.loaded.name, "seed": recipe.seed}
        origin |= {**_weights(source.run), "data": _data(source)}
        yield Subject(recipe.task, facts, source.graph, weights, source.data.splits, call, recipe.seed, origin)


def _data(source: Source) -> dict[str, Any]:
    """Return what was learned from, as a device's owner must know it."""
    counts = {split: len(examples) for split, examples in source.data.splits.items()}
    return {"source": source.loaded.recipe.data.source.type, "examples": counts, "fingerprint": source.data.fingerprint}


def _weights(run: Run) -> dict[str, Any]:
    """Return what the training began with, as a device's owner must know it: no folders of this machine."""
    weights = run.record().get("weights")
    return {"weights": {**weights, "file": Path(weights["file"]).name}} if weights else {}


def _result(exported: Exported, headline: str, loaded: LoadedRecipe) -> ExportResult:
    split: SplitName = "test" if "test" in exported.comparisons else "validation"
    comparison = exported.comparisons[split]
    return ExportResult(
        file=exported.file,
        target=exported.export.target,
        quantization=exported.export.quantization,
        bytes=exported.runnable.facts.bytes,
        score=comparison.file.scores.metrics[headline],
        drop=comparison.drop,
        passed=exported.passed,
        split=split,
        latency_ms=exported.latency_ms,
        lost=() if exported.passed else tuple((e.name, e.model, e.file) for e in lost_examples(comparison)),
        problems=tuple(replace(p, place=p.place or _place(loaded, p.path)) for p in exported.problems),
        proofs=exported.proofs,
        ladder=exported.rungs,
    )


def _place(loaded: LoadedRecipe, path: str) -> Any:
    parts = tuple(int(part) if part.isdecimal() else part for part in path.split("."))
    return loaded.place_of(parts)
