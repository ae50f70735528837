"""All exports of a trained network: convert, compare with Keras, gate, and write the bundles of those that passed.

Every decision reads the validation split. The test split is read once for each file that passed, after all decisions; a
drop there beyond `max_drop` fails the export too, but nothing is tried again.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cnnpipe.bundle import golden
from cnnpipe.bundle.check import check_bundle
from cnnpipe.bundle.comparison import Comparer, Comparison, broken_promises, lost_examples
from cnnpipe.bundle.convert import convert
from cnnpipe.bundle.measured import Measured
from cnnpipe.bundle.normalization import check_normalization
from cnnpipe.bundle.runtime import Runnable, latency_ms
from cnnpipe.bundle.subject import Subject
from cnnpipe.bundle.workers import Workers
from cnnpipe.bundle.write import whole_folder, write_bundle, write_rejected
from cnnpipe.datasets import SplitName
from cnnpipe.errors import GateError, Problem
from cnnpipe.events import Listener
from cnnpipe.recipe.exports import PlannedExport

REJECTED = ".rejected"


@dataclass(frozen=True)
class Exported:
    """One export: a bundle, or the reasons why there is none.

    Args:
        export: What was asked for.
        folder: The bundle; of a rejected file, the folder with the file and the reasons.
        file: The exported file.
        runnable: The file, opened.
        comparisons: By split; `test` only of files that passed on `validation`.
        latency_ms: Median time for one example on this host.
        problems: Why it was rejected; empty when it passed.
    """

    export: PlannedExport
    folder: Path
    file: Path
    runnable: Runnable
    comparisons: Mapping[SplitName, Comparison]
    latency_ms: float
    problems: tuple[Problem, ...]

    @property
    def passed(self) -> bool:
        """Whether parity and gate held on validation and on test."""
        return not self.problems


@dataclass(frozen=True)
class _Attempt:
    """A file that was converted, with what is known of it so far."""

    export: PlannedExport
    runnable: Runnable
    comparisons: Mapping[SplitName, Comparison]
    problems: tuple[Problem, ...] = ()

    def on(self, split: SplitName, comparer: Comparer) -> _Attempt:
        """Return it after a look at a split; a file that has broken a promise is not looked at again."""
        if self.problems:
            return self
        found = comparer.compare(self.export, self.runnable, split)
        comparisons = {**self.comparisons, split: found}
        return replace(self, comparisons=comparisons, problems=tuple(broken_promises(self.export, found)))


def export_all(
    exports: Sequence[PlannedExport], subject: Subject, folder: Path, workers: Workers, listener: Listener | None = None
) -> tuple[Exported, ...]:
    """Write a bundle for every export below `folder`, or the folder `NAME.rejected` for one that broke a promise.

    Raises:
        ProblemError: A file cannot be converted, run or written. A broken promise raises nothing: see `Exported`.
        GateError: A bundle does not pass its own check; it is not written.
    """
    check_normalization(subject)
    comparer = Comparer(subject, workers.runtime)
    with tempfile.TemporaryDirectory() as staging:
        opened = [_open(export, subject, workers, Path(staging), listener or Listener()) for export in exports]
        decided = [attempt.on("validation", comparer) for attempt in opened]
        # All decisions are made: now the test split may be read.
        final = [attempt.on("test", comparer) for attempt in decided]
        return tuple(_written(attempt, subject, folder, workers) for attempt in final)


def _open(export: PlannedExport, subject: Subject, workers: Workers, staging: Path, listener: Listener) -> _Attempt:
    listener.stage(f"export {export.name}")
    folder = staging / export.name
    folder.mkdir()
    runnable = convert(export, subject, workers, folder / export.exporter.file_name)
    for note in runnable.facts.notes:
        listener.note(f"{export.name}: {note}")
    return _Attempt(export, runnable, {})


def _written(attempt: _Attempt, subject: Subject, folder: Path, workers: Workers) -> Exported:
    export, runnable, problems = attempt.export, attempt.runnable, attempt.problems
    milliseconds = latency_ms(workers.runtime, runnable, subject.network_inputs("validation", [0]))
    accepted, rejected = folder / export.name, folder / f"{export.name}{REJECTED}"
    target = rejected if problems else accepted
    with whole_folder(target) as staging:
        if problems:
            lost = [example for comparison in attempt.comparisons.values() for example in lost_examples(comparison)]
            write_rejected(staging, runnable.file, problems, lost)
        else:
            _write(staging, attempt, milliseconds, subject, workers)
    if not problems:  # what was rejected before is settled; a bundle that was accepted before stays
        shutil.rmtree(rejected, ignore_errors=True)
    file = target / export.exporter.file_name
    opened = replace(runnable, file=file)
    return Exported(export, target, file, opened, attempt.comparisons, milliseconds, problems)


def _write(staging: Path, attempt: _Attempt, milliseconds: float, subject: Subject, workers: Workers) -> None:
    """Write a bundle and let it check itself before anybody sees it."""
    test, export = attempt.comparisons["test"], attempt.export
    rows = golden.choose(subject, test.file.predictions, test.model.predictions)
    samples = golden.make(subject, workers.runtime, attempt.runnable, rows)
    measured = Measured(attempt.runnable, samples, attempt.comparisons, milliseconds)
    write_bundle(staging, export, subject, measured)
    if found := check_bundle(staging, workers.runtime):
        raise GateError(replace(p, message=f"the bundle {export.name}: {p.message}", path=export.path) for p in found)
