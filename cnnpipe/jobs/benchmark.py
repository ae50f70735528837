"""Benchmark exported files: size and scores as they were proven, time and memory as measured on this host now."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cnnpipe.bundle.check import golden_values
from cnnpipe.bundle.open import Bundle, contradictions, open_bundle
from cnnpipe.bundle.timing import Timing, time_file
from cnnpipe.bundle.unpack import unpacked
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.evaluation import Drop
from cnnpipe.events import Listener
from cnnpipe.jobs.exporting import EXPORTS
from cnnpipe.jobs.stated import stated_drop, stated_score
from cnnpipe.jobs.trained import bundle_folder
from cnnpipe.litert_file import read_program
from cnnpipe.manifest import MANIFEST
from cnnpipe.program import plan_arena
from cnnpipe.runs import open_run
from cnnpipe.task import Metric, Score

THREADS = (1, 2, 4)
LITERT = ".tflite"


@dataclass(frozen=True)
class Row:
    """One file.

    Args:
        name: Name of its folder.
        target: Type of its target.
        quantization: What happened to weights and activations.
        bytes: Size of the file.
        score: What its bundle states of the headline metric on the test split; None when nothing.
        drop: What its bundle states of the drop against the Keras model; None when nothing.
        timings: Measured on this host, by threads.
        arena_bytes: The arena in LiteRT Micro; None for a format without.
        arena_by: Who measured it; None when it is estimated.
    """

    name: str
    target: str
    quantization: str
    bytes: int
    score: Score | None
    drop: Drop | None
    timings: Mapping[int, Timing]
    arena_bytes: int | None
    arena_by: str | None


@dataclass(frozen=True)
class BenchmarkResult:
    """What was measured.

    Args:
        metric: The headline metric.
        model: What the first bundle states of the Keras model; None when nothing.
        rows: One for each file.
        host: What this host is.
        notes: What could not be measured, one sentence each.
    """

    metric: Metric
    model: Score | None
    rows: tuple[Row, ...]
    host: str
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the plain form: metric, host, files, notes."""
        files = [
            {
                **asdict(row),
                "timings": {str(threads): asdict(timing) for threads, timing in row.timings.items()},
            }
            for row in self.rows
        ]
        return {
            "metric": self.metric.name,
            "host": self.host,
            "model": self.model and asdict(self.model),
            "files": files,
            "notes": list(self.notes),
        }


def benchmark(
    model: str | Path, runs_folder: str | Path = Path("runs"), listener: Listener | None = None
) -> BenchmarkResult:
    """Measure every exported file of a run, or that of one bundle. No TensorFlow is needed.

    Args:
        model: A run (a folder, a name and number, or a name: its newest run), a bundle's folder, or a zip file of it.
        runs_folder: Where names of runs are looked up.
        listener: Hears what is going on.

    Raises:
        ProblemError: There is no such run or bundle, it has no exported file, or one cannot be run.
    """
    hears, threads = listener or Listener(), _threads()
    with _folders(model, runs_folder) as folders:
        bundles: list[Bundle] = []
        rows: list[Row] = []
        notes: list[str] = []
        for folder in folders:
            with open_bundle(folder) as bundle, contradictions(folder):
                hears.stage(f"measuring {folder.name}")
                row = _row(bundle, threads)
                bundles.append(bundle)
                rows.append(row)
                if missing := [str(count) for count in threads if count not in row.timings]:
                    notes.append(f"{row.name}: its runtime cannot be told to use {', '.join(missing)} threads.")
    metric = bundles[0].task.headline()
    keras = stated_score(bundles[0].manifest, "model", metric.name)
    return BenchmarkResult(metric, keras, tuple(rows), _host(), tuple(notes))


@contextmanager
def _folders(model: str | Path, runs_folder: str | Path) -> Iterator[Sequence[Path]]:
    """Give the bundles that are meant."""
    path = Path(model)
    with ExitStack() as stack:
        if folder := bundle_folder(path):
            yield [folder]
        elif path.is_file():
            yield [stack.enter_context(unpacked(path))]
        else:
            run = open_run(model, runs_folder)
            found = sorted(file.parent for file in (run.folder / EXPORTS).glob(f"*/{MANIFEST}"))
            found = [folder for folder in found if not folder.name.startswith(".")]
            if not found:
                hint = f"Write some with: cnnpipe export {run.reference} --quantization int8"
                raise ProblemError(Problem(f"{run.folder} has no exported file", hint=hint))
            yield found


def _row(bundle: Bundle, threads: Sequence[int]) -> Row:
    manifest, runnable = bundle.manifest, bundle.runnable
    golden = golden_values(bundle.folder, manifest.inputs)
    one = {name: values[:1] for name, values in golden.items()}
    metric = bundle.task.headline().name
    measured = {count: time_file(runnable.exporter, runnable.file, one, count) for count in threads}
    arena, by = _arena(bundle)
    return Row(
        name=bundle.folder.name,
        target=manifest.target,
        quantization=manifest.quantization,
        bytes=runnable.file.stat().st_size,
        score=stated_score(manifest, "file", metric),
        drop=stated_drop(manifest),
        timings={count: timing for count, timing in measured.items() if timing is not None},
        arena_bytes=arena,
        arena_by=by,
    )


def _arena(bundle: Bundle) -> tuple[int | None, str | None]:
    """Return the arena that the bundle states, else an estimate for a LiteRT file; and who measured it."""
    if stated := bundle.manifest.memory:
        return stated.arena, stated.measured_by
    file = bundle.runnable.file
    return (
        (plan_arena(read_program(file.read_bytes(), file.name)).total, None) if file.suffix == LITERT else (None, None)
    )


def _threads() -> tuple[int, ...]:
    cores = os.cpu_count() or 1
    return tuple(count for count in THREADS if count <= max(2, cores))


def _host() -> str:
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
