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
from cnnpipe.bundle.attempt import Attempt, Bench, Decide, attempt, told
from cnnpipe.bundle.check import check_bundle
from cnnpipe.bundle.client import client_subject, takes_colour_for_gray
from cnnpipe.bundle.comparison import Comparer, Comparison, lost_examples, lost_in_runtimes
from cnnpipe.bundle.delegation import told_if_slower
from cnnpipe.bundle.measured import Measured
from cnnpipe.bundle.normalization import check_normalization
from cnnpipe.bundle.open import open_bundle
from cnnpipe.bundle.proving import broken_proofs, make_trial, prove, raw_reader
from cnnpipe.bundle.runtime import Runnable, latency_ms
from cnnpipe.bundle.subject import Subject
from cnnpipe.bundle.workers import Workers
from cnnpipe.bundle.write import finish, whole_folder, write_bundle, write_rejected
from cnnpipe.datasets import SplitName
from cnnpipe.errors import GateError, Problem
from cnnpipe.events import Listener
from cnnpipe.manifest import Proof, Rung, read_manifest
from cnnpipe.recipe.exports import PlannedExport

REJECTED = ".rejected"


@dataclass(frozen=True)
class Exported:
    """One export: a bundle, or the reasons why there is none.

    Args:
        export: What was asked for; of a ladder, the rung that was chosen.
        folder: The bundle; of a rejected file, the folder with the file and the reasons.
        file: The exported file.
        runnable: The file, opened.
        comparisons: By split; `test` only of files that passed on `validation`.
        latency_ms: Median time for one example on this host.
        problems: Why it was rejected; empty when it passed.
        proofs: What the device's own runtimes said on the test split; empty when it was not asked.
        rungs: Of a ladder, all that was tried, in this order.
    """

    export: PlannedExport
    folder: Path
    file: Path
    runnable: Runnable
    comparisons: Mapping[SplitName, Comparison]
    latency_ms: float
    problems: tuple[Problem, ...]
    proofs: tuple[Proof, ...] = ()
    rungs: tuple[Rung, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether parity and gate held on validation and on test."""
        return not self.problems


def export_all(
    exports: Sequence[PlannedExport],
    subject: Subject,
    folder: Path,
    workers: Workers,
    listener: Listener | None = None,
    decide: Decide = attempt,
) -> tuple[Exported, ...]:
    """Write a bundle for every export below `folder`, or the folder `NAME.rejected` for one that broke a promise.

    Args:
        exports: What is asked for.
        subject: What is exported.
        folder: Where bundles go.
        workers: Both worker processes.
        listener: Hears what is going on.
        decide: Makes each file and decides on it by the validation split.

    Raises:
        ProblemError: A file cannot be converted, run or written. A broken promise raises nothing: see `Exported`.
        GateError: A bundle does not pass its own check; it is not written.
    """
    check_normalization(subject)
    with tempfile.TemporaryDirectory() as staging:
        benches = _benches(exports, subject, workers, Path(staging), listener or Listener())
        decided = [_decided(export, bench, decide) for export, bench in zip(exports, benches, strict=True)]
        # All decisions are made: now the test split may be read.
        final = [made.on("test", bench.comparer) for made, bench in zip(decided, benches, strict=True)]
        return tuple(_written(made, folder, bench) for made, bench in zip(final, benches, strict=True))


def _benches(
    exports: Sequence[PlannedExport], subject: Subject, workers: Workers, folder: Path, listener: Listener
) -> list[Bench]:
    """Return a bench for each export; those whose clients meet the same network share one, and its answers of Keras."""
    found: dict[tuple[bool, str | None], Bench] = {}
    kinds = [(takes_colour_for_gray(export, subject), export.postprocessing) for export in exports]
    for kind, export in zip(kinds, exports, strict=True):
        if kind not in found:
            one = client_subject(export, subject, folder)
            found[kind] = Bench(one, workers, Comparer(one, workers.runtime), folder, listener)
    return [found[kind] for kind in kinds]


def _decided(export: PlannedExport, bench: Bench, decide: Decide) -> Attempt:
    bench.listener.stage(f"export {export.name}")
    return told(told_if_slower(decide(export, bench), bench), bench.listener)


def _written(made: Attempt, folder: Path, bench: Bench) -> Exported:
    export, runnable, problems, workers = made.export, made.runnable, made.problems, bench.workers
    milliseconds = latency_ms(workers.runtime, runnable, made.subject.network_inputs("validation", [0]))
    accepted, rejected = folder / export.name, folder / f"{export.name}{REJECTED}"
    bundle, proofs = bench.folder / f"{export.name}.bundle", tuple[Proof, ...]()
    if not problems:
        proofs = _write(bundle, made, milliseconds, workers)
        problems = (
            *(
                replace(p, message=f"the file {export.name}: {p.message}", path=export.path)
                for p in broken_proofs(proofs)
            ),
            *lost_in_runtimes(export, made.comparisons["test"], proofs),
        )
    target = rejected if problems else accepted
    with whole_folder(target) as whole:
        if problems:
            lost = [example for comparison in made.comparisons.values() for example in lost_examples(comparison)]
            write_rejected(whole, runnable.file, problems, lost, made.rungs)
        else:
            shutil.copytree(bundle, whole, dirs_exist_ok=True)
    if not problems:  # what was rejected before is settled; a bundle that was accepted before stays
        shutil.rmtree(rejected, ignore_errors=True)
    file = target / export.exporter.file_name
    opened = replace(runnable, file=file)
    return Exported(export, target, file, opened, made.comparisons, milliseconds, problems, proofs, made.rungs)


def _write(folder: Path, made: Attempt, milliseconds: float, workers: Workers) -> tuple[Proof, ...]:
    """Write a bundle, let the device's runtimes prove it, and let it check itself before anybody sees it."""
    test, export, subject = made.comparisons["test"], made.export, made.subject
    rows = golden.choose(subject, test.file.predictions, test.model.predictions)
    samples = golden.make(subject, workers.runtime, made.runnable, rows)
    measured = Measured(made.runnable, samples, made.comparisons, milliseconds, made.rungs)
    folder.mkdir()
    write_bundle(folder, export, subject, measured)
    proofs = _proofs(folder, export, subject, workers)
    if not broken_proofs(proofs):
        finish(folder, read_manifest(folder).model_copy(update={"proofs": proofs}))
        if found := check_bundle(folder, workers.runtime):
            raise GateError(
                replace(p, message=f"the bundle {export.name}: {p.message}", path=export.path) for p in found
            )
    return proofs


def _proofs(folder: Path, export: PlannedExport, subject: Subject, workers: Workers) -> tuple[Proof, ...]:
    if not export.device.runtimes:
        return ()
    split, bundle = subject.splits["test"], open_bundle(folder, workers.runtime)
    raw = raw_reader(split, subject.facts.preprocessing)
    trial = make_trial(bundle, split.inputs, split.names, raw, split.targets)
    return prove(export.device.runtimes, bundle, trial)
