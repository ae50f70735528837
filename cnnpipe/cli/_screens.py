"""The last screen of each job."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from functools import singledispatch
from pathlib import Path
from typing import Any

from cnnpipe.bundle.proof_line import proof_line
from cnnpipe.evaluation import Drop
from cnnpipe.jobs.results import (
    EvaluateResult,
    ExportResult,
    ExportsResult,
    PredictResult,
    RunResult,
    TrainResult,
)
from cnnpipe.report.ladder import ladder_table
from cnnpipe.report.tables import byte_size, table
from cnnpipe.task import Score, Scores

WHO = ("Keras", "file")
LISTED = 10
"""How many lost examples are shown."""


@singledispatch
def screen(result: Any) -> str:
    """Return what a command prints when its job is done."""
    raise TypeError(type(result).__name__)


@screen.register
def _run(result: RunResult) -> str:
    training, exported = result.training, result.exported
    keras = ("Keras model", "-", _score(training.scores.metrics[training.metric.name]), "-", "-", "-")
    rows = [keras, *(_export_row(export) for export in exported.exports)]
    bundles = [export.file.parent for export in exported.exports if export.passed]
    bundle = bundles[-1] if bundles else training.run
    return "\n".join([
        _headline(training), "", _export_table(rows, training.metric.name), "", *_ladders(exported),
        *_proofs(exported), *_lost(exported.exports),
        *_places(training.run, exported.exports),
        *_next(f"cnnpipe predict {_path(bundle)} FILE", f"cnnpipe evaluate {_path(training.run)} --split validation"),
    ])  # fmt: skip


@screen.register
def _train(result: TrainResult) -> str:
    run = _path(result.run)
    return "\n".join([
        _headline(result), "", *_metrics(result.scores), "", *_places(result.run, ()),
        *_next(f"cnnpipe export {run}", f"cnnpipe predict {run} FILE"),
    ])  # fmt: skip


def _metrics(scores: Scores) -> list[str]:
    width = max(map(len, scores.metrics), default=0)
    return [f"{name:<{width}}  {_score(score)}" for name, score in scores.metrics.items()]


@screen.register
def _exports(result: ExportsResult) -> str:
    rows = [_export_row(export) for export in result.exports]
    return "\n".join([
        _export_table(rows, result.metric.name), "", *_ladders(result), *_proofs(result),
        *_lost(result.exports), *_places(result.run, result.exports),
    ])  # fmt: skip


@screen.register
def _evaluate(result: EvaluateResult) -> str:
    return "\n".join([f"{result.split} split", *_metrics(result.scores)])


@screen.register
def _predict(result: PredictResult) -> str:
    if not result.predictions:
        return "no files"
    keys = [key for key, value in result.predictions[0].items() if not isinstance(value, Mapping)]
    pairs = zip(result.files, result.predictions, strict=True)
    rows = [(str(file), *(_cell(prediction.get(key)) for key in keys)) for file, prediction in pairs]
    drawn = ["", f"drawn  {result.pictures[0].parent}"] if result.pictures else []
    return "\n".join([table(("file", *keys), rows, left=("file", "label")), *drawn])


def _ladders(result: ExportsResult) -> Iterator[str]:
    for export in result.exports:
        if export.ladder:
            yield f"ladder of {export.file.parent.name}"
            yield from ladder_table(export.ladder, result.metric.name)
            yield ""


def _proofs(result: ExportsResult) -> Iterator[str]:
    """Yield a line for each runtime that was asked about each file, with what the file is worth there."""
    metric = result.metric.name
    lines = [f"{one.label}   {proof_line(proof, metric)}" for one in result.exports for proof in one.proofs]
    yield from [*lines, ""] if lines else []


def _lost(exports: Sequence[ExportResult]) -> Iterator[str]:
    """Yield a table of what each rejected file lost; `rejected.json` beside the file holds all of it."""
    for export in exports:
        if not export.lost:
            continue
        keys = [key for key, value in export.lost[0][1].items() if not isinstance(value, Mapping)]
        header = (f"lost by {export.label}", *(f"{who} {key}" for who in WHO for key in keys))
        rows = [(name, *(_cell(one.get(key)) for one in both for key in keys)) for name, *both in export.lost[:LISTED]]
        yield table(header, rows, left=header)
        if len(export.lost) > LISTED:
            yield f"and {len(export.lost) - LISTED} more in {export.file.parent}"
        yield ""


def _cell(value: Any) -> Any:
    """Return a value as a table shows it: a list of names, such as several labels, as one text.

    Of things with several values, such as objects, the first few, each with its plain values; `--json` has all.
    """
    if not isinstance(value, list | tuple):
        return value
    parts = [_thing(one) if isinstance(one, Mapping) else str(one) for one in value]
    more = [f"and {len(parts) - LISTED} more"] if len(parts) > LISTED and isinstance(value[0], Mapping) else []
    return ", ".join([*parts[:LISTED], *more] if more else parts) or "-"


def _thing(thing: Mapping[str, Any]) -> str:
    plain = (one for one in thing.values() if isinstance(one, str | int | float))
    return " ".join(f"{one:.2f}" if isinstance(one, float) else str(one) for one in plain)


def _headline(training: TrainResult) -> str:
    count = f"{training.epochs} epoch{'' if training.epochs == 1 else 's'}"
    return f"{training.run}: {count} in {training.seconds:.0f} s, kept epoch {training.best_epoch}"


def _export_table(rows: Sequence[Sequence[str]], metric: str) -> str:
    header = ("file", "size", f"test {metric} (95 % interval)", "against the Keras model", "latency here", "gate")
    return table(header, rows, left=header[:1])


def _export_row(export: ExportResult) -> tuple[str, ...]:
    latency = "-" if export.latency_ms is None else f"{export.latency_ms:.2f} ms"
    name = export.label
    gate = "passed" if export.passed else "FAILED"
    score = _score(export.score) + (f" ({export.split})" if export.split != "test" else "")
    return name, byte_size(export.bytes), score, _drop(export.drop), latency, gate


def _score(score: Score) -> str:
    interval = f" ({score.interval[0]:.4f} to {score.interval[1]:.4f})" if score.interval else ""
    return f"{score.value:.4f}{interval} of {score.n:,}"


def _drop(drop: Drop) -> str:
    value = f"drop {drop.drop:.4f}"
    if drop.differs is None:
        return f"{value} on {drop.n:,}"
    if not drop.differs:
        return f"same on all {drop.n:,}"
    return f"{value}, differs on {drop.differs:,} of {drop.n:,}: {drop.lost} lost, {drop.won} won"


def _places(run: Path, exports: Sequence[ExportResult]) -> list[str]:
    return [f"run    {run}", *(f"file   {export.file}" for export in exports), ""]


def _next(*commands: str) -> list[str]:
    return [f"next   {command}" for command in commands]


def _path(path: Path) -> str:
    return shlex.quote(str(path))
