"""From a network to a written file: which graph is converted, on which calibration data, and the dry export."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cnnpipe.build import plan
from cnnpipe.bundle.calibration import write_calibration
from cnnpipe.bundle.client import client_notes, planned_metadata
from cnnpipe.bundle.limits import exceeded
from cnnpipe.bundle.memory import arena_of
from cnnpipe.bundle.normalization import carried_normalization
from cnnpipe.bundle.prediction import unpredicted
from cnnpipe.bundle.runtime import Runnable, open_file
from cnnpipe.bundle.subject import Subject
from cnnpipe.bundle.workers import CONVERSION_SECONDS, Job, Workers
from cnnpipe.child import ChildError
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.exporters import CALIBRATED, FileFacts, TensorError
from cnnpipe.graph import Graph
from cnnpipe.graph.affine import without_input_affine
from cnnpipe.recipe.exports import PlannedExport, client_graph, possible_rungs
from cnnpipe.recipe.ordering import order_note, ordered

DRY_SEEDS = 3
"""Initial weights to try in a dry export: by bad luck all units of a small layer can be silent on noise."""


def convert(export: PlannedExport, subject: Subject, workers: Workers, file: Path) -> Runnable:
    """Write one file from a trained network, open it and run it once.

    Raises:
        ProblemError: It cannot be converted or run, at the export's recipe path.
    """
    with _trained(export, subject, file) as job:
        job = replace(job, metadata=planned_metadata(export, subject, job.normalization))
        return _converted(export, subject.graph, workers, job)


def tensor_errors(export: PlannedExport, subject: Subject, workers: Workers) -> tuple[TensorError, ...]:
    """Return what int8 does to each operator of a trained network.

    Raises:
        ProblemError: It cannot be converted, or its format cannot tell.
    """
    with _trained(export, subject, Path(export.exporter.file_name)) as job, _about(export, subject.graph):
        found: tuple[TensorError, ...] = workers.converter.call(
            "cnnpipe.bundle.workers.errors", job, timeout=CONVERSION_SECONDS
        )
        return found


@contextmanager
def _trained(export: PlannedExport, subject: Subject, file: Path) -> Iterator[Job]:
    """Give the conversion of a trained network, with its calibration examples."""
    with tempfile.TemporaryDirectory() as folder:
        calibration = None
        if export.quantization in CALIBRATED:
            calibration = Path(folder) / "calibration.npz"
            write_calibration(export, subject, calibration)
        job = _job(export, subject.graph, file)
        yield replace(job, weights=subject.weights, calibration=calibration, corrected_biases=export.corrected_biases)


def dry_export(exports: Sequence[PlannedExport], graph: Graph, workers: Workers) -> tuple[FileFacts, ...]:
    """Convert the untrained network for every export, open each file and run it once. The files are thrown away.

    Raises:
        ProblemError: All exports that cannot be converted or run, or exceed a limit, each at its recipe path.
    """
    found: list[FileFacts] = []
    problems: list[Problem] = []
    for export in exports:
        try:
            found.append(_dry_export(export, graph, workers))
        except ProblemError as error:
            problems += error.problems
    if problems:
        raise ProblemError(problems)
    return tuple(found)


def start_dry_export(exports: Sequence[PlannedExport], graph: Graph, workers: Workers) -> Future[tuple[FileFacts, ...]]:
    """Start `dry_export` beside whatever follows; `result()` of what is returned raises what it raises."""
    executor = ThreadPoolExecutor(1, "dry-export")
    future = executor.submit(dry_export, exports, graph, workers)
    executor.shutdown(wait=False)
    return future


def _dry_export(export: PlannedExport, graph: Graph, workers: Workers) -> FileFacts:
    """Convert an export; of a ladder, the first rung that can be converted, since one is enough."""
    problems: list[Problem] = []
    for rung in possible_rungs(export):
        try:
            return _dry_file(rung, graph, workers)
        except ProblemError as error:
            problems += error.problems
    raise ProblemError(problems)


def _dry_file(export: PlannedExport, graph: Graph, workers: Workers) -> FileFacts:
    with untrained_file(export, graph, workers) as runnable:
        if problems := list(exceeded(export, runnable)):
            raise ProblemError(problems)
        return runnable.facts


@contextmanager
def untrained_file(export: PlannedExport, graph: Graph, workers: Workers) -> Iterator[Runnable]:
    """Give the file of an untrained network, opened and run once, which is then thrown away.

    Raises:
        ProblemError: It cannot be converted or run, at the export's recipe path.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / export.exporter.file_name
        job, seed = _job(export, graph, file), 0
        while True:
            try:
                runnable = _converted(export, graph, workers, replace(job, seed=seed))
            except ProblemError:
                seed += 1
                if export.quantization not in CALIBRATED or not file.is_file() or seed == DRY_SEEDS:
                    raise
            else:
                break
        yield runnable


def _job(export: PlannedExport, graph: Graph, file: Path) -> Job:
    graph = ordered(export, client_graph(export, graph))
    normalization = carried_normalization(export, graph)
    converted = graph if normalization is None else without_input_affine(graph)
    return Job(
        exporter=export.exporter.model_dump(mode="json"),
        plan=plan(converted),
        inputs={name: converted.nodes[position].shape for name, position in converted.inputs.items()},
        weights=None,
        seed=0,
        calibration=None,
        normalization=normalization,
        quantization=export.quantization,
        input_type=export.input_type,
        output_type=export.output_type,
        file=file,
        granularity=export.granularity,
        kept_float=export.kept_float,
    )


def _converted(export: PlannedExport, graph: Graph, workers: Workers, job: Job) -> Runnable:
    with _about(export, graph):
        facts: FileFacts = workers.converter.call("cnnpipe.bundle.workers.convert", job, timeout=CONVERSION_SECONDS)
        runnable = open_file(workers.runtime, export.exporter, job.file, job.normalization)
        memory = arena_of(export.device, job.file, workers.runtime)
    notes = (
        *facts.notes,
        *client_notes(graph),
        *order_note(export, client_graph(export, graph)),
        *unpredicted(export, graph, runnable.facts.operators),
    )
    return replace(runnable, facts=replace(runnable.facts, notes=notes), memory=memory)


@contextmanager
def _about(export: PlannedExport, graph: Graph) -> Iterator[None]:
    """Make what goes wrong in a worker a problem of the export, with blocks beside layers."""
    try:
        yield
    except ChildError as error:
        raise error.about(f"the export {export.name} failed", export.path) from error
    except ProblemError as error:
        raise ProblemError(_at_export(problem, export, graph) for problem in error.problems) from error


def _at_export(problem: Problem, export: PlannedExport, graph: Graph) -> Problem:
    message = f"the export {export.name} failed: {_in_recipe(problem.message, graph)}"
    return Problem(message, path=export.path, hint=_in_recipe(problem.hint, graph))


def _in_recipe(message: str, graph: Graph) -> str:
    """Add to every layer name in a message the block that it comes from."""
    for node in graph.nodes:
        if node.block and node.name in message:
            message = message.replace(node.name, f"{node.name} of {node.block}")
    return message
