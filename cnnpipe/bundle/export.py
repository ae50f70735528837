"""All exports of a trained network: convert, compare with Keras, gate, and write the bundles of those that passed.

Every decision reads the validation split. The test split is read once for each file that passed, after all decisions; a
drop there beyond `max_drop` fails the export too, but nothing is tried again.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from cnnpipe.bundle import golden
from cnnpipe.bundle.check import check_bundle
from cnnpipe.bundle.convert import convert
from cnnpipe.bundle.normalization import check_normalization
from cnnpipe.bundle.parity import OutputParity, compare_outputs
from cnnpipe.bundle.runtime import Runnable, file_outputs, latency_ms
from cnnpipe.bundle.subject import Subject
from cnnpipe.bundle.workers import Workers
from cnnpipe.bundle.write import whole_folder, write_bundle, write_rejected
from cnnpipe.data import SplitData
from cnnpipe.datasets import SplitName
from cnnpipe.errors import GateError, Problem
from cnnpipe.evaluation import Drop, Evaluation, compare, evaluate
from cnnpipe.events import Listener
from cnnpipe.recipe.exports import PlannedExport
from cnnpipe.task import Arrays, Prediction, Scores

REJECTED = ".rejected"


@dataclass(frozen=True)
class Comparison:
    """A file against its Keras model on one split.

    Args:
        split: The split.
        model: What Keras is worth.
        file: What the file is worth.
        drop: How much worse the file is.
        parity: How near each output is to that of Keras.
        higher_is_better: Direction of the headline metric.
    """

    split: SplitName
    model: Evaluation
    file: Evaluation
    drop: Drop
    parity: tuple[OutputParity, ...]
    higher_is_better: bool

    def as_json(self) -> dict[str, Any]:
        """Return the scores of both and the drop as plain values."""
        return {
            "model": scores_json(self.model.scores),
            "file": scores_json(self.file.scores),
            "drop": asdict(self.drop),
        }


@dataclass(frozen=True)
class LostExample:
    """An example that the file does worse than its Keras model."""

    name: str
    split: SplitName
    model: Prediction
    file: Prediction


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


def export_all(
    exports: Sequence[PlannedExport], subject: Subject, folder: Path, workers: Workers, listener: Listener | None = None
) -> tuple[Exported, ...]:
    """Write a bundle for every export below `folder`, or the folder `NAME.rejected` for one that broke a promise.

    Raises:
        ProblemError: A file cannot be converted, run or written. A broken promise raises nothing: see `Exported`.
        GateError: A bundle does not pass its own check; it is not written.
    """
    listener = listener or Listener()
    check_normalization(subject)
    with tempfile.TemporaryDirectory() as staging:
        references: dict[SplitName, Arrays] = {}
        opened = [_open(export, subject, workers, Path(staging), listener) for export in exports]
        first = [
            _compare(e, r, subject, workers, "validation", references) for e, r in zip(exports, opened, strict=True)
        ]
        problems = [tuple(_problems(e, c, subject)) for e, c in zip(exports, first, strict=True)]
        # All decisions are made: now the test split may be read.
        return tuple(
            _finish(export, runnable, comparison, found, subject, folder, workers, references)
            for export, runnable, comparison, found in zip(exports, opened, first, problems, strict=True)
        )


def scores_json(scores: Scores) -> dict[str, Any]:
    """Return the metrics of one split as plain values."""
    return {name: asdict(score) for name, score in scores.metrics.items()}


def _open(export: PlannedExport, subject: Subject, workers: Workers, staging: Path, listener: Listener) -> Runnable:
    listener.stage(f"export {export.name}")
    folder = staging / export.name
    folder.mkdir()
    runnable = convert(export, subject, workers, folder / export.exporter.file_name)
    for note in runnable.facts.notes:
        listener.note(f"{export.name}: {note}")
    return runnable


def _compare(
    export: PlannedExport,
    runnable: Runnable,
    subject: Subject,
    workers: Workers,
    name: SplitName,
    references: dict[SplitName, Arrays],
) -> Comparison:
    task, facts, split = subject.task, subject.facts, subject.splits[name]
    if name not in references:
        references[name] = task.answer(subject.call, split.inputs, facts)
    reference = references[name]
    found = task.answer(lambda inputs: file_outputs(workers.runtime, runnable, inputs), split.inputs, facts)
    model, file = evaluate(task, reference, split, facts), evaluate(task, found, split, facts)
    parity = compare_outputs(reference, found, runnable.facts.outputs, export.quantization, split.names)
    return Comparison(name, model, file, compare(task, model, file), tuple(parity), task.headline().higher_is_better)


def _problems(export: PlannedExport, comparison: Comparison, subject: Subject) -> Iterator[Problem]:
    """Yield the promises that are broken on one split, each at the export's recipe path."""
    for parity in comparison.parity:
        if not parity.passed:
            yield replace(parity.problem(f"{export.name}/{export.exporter.file_name}"), path=export.path)
    drop, metric = comparison.drop, subject.task.headline()
    # A drop of exactly max_drop is allowed; the small addend keeps 0.03 from being more than 0.03.
    if export.max_drop is not None and not drop.drop <= export.max_drop + 1e-9:
        counts = f" ({drop.lost} lost, {drop.won} won of {drop.n})" if drop.differs is not None else f" (n={drop.n})"
        yield Problem(
            f"the file {export.name} loses {drop.drop:.4g} of {metric.name} on {comparison.split}{counts}; "
            f"max_drop allows {export.max_drop:.4g}",
            path=f"{export.path}.max_drop",
        )


def _finish(
    export: PlannedExport,
    runnable: Runnable,
    validation: Comparison,
    problems: tuple[Problem, ...],
    subject: Subject,
    folder: Path,
    workers: Workers,
    references: dict[SplitName, Arrays],
) -> Exported:
    comparisons: dict[SplitName, Comparison] = {"validation": validation}
    if not problems:
        comparisons["test"] = _compare(export, runnable, subject, workers, "test", references)
        problems = tuple(_problems(export, comparisons["test"], subject))
    milliseconds = latency_ms(workers.runtime, runnable, subject.network_inputs("validation", [0]))
    target = folder / (export.name + (REJECTED if problems else ""))
    exported = Exported(
        export, target, target / export.exporter.file_name, runnable, comparisons, milliseconds, problems
    )
    with whole_folder(target) as staging:
        if problems:
            lost = [
                example for one in comparisons.values() for example in lost_examples(one, subject.splits[one.split])
            ]
            write_rejected(staging, runnable.file, problems, lost)
        else:
            _write(staging, exported, subject, workers)
            if found := check_bundle(staging, workers.runtime):
                raise GateError(
                    replace(p, message=f"the bundle {export.name}: {p.message}", path=export.path) for p in found
                )
    other = folder / (export.name + ("" if problems else REJECTED))
    shutil.rmtree(other, ignore_errors=True)  # an earlier attempt's: only one of the two is true now
    return replace(exported, runnable=replace(runnable, file=exported.file))


def lost_examples(comparison: Comparison, split: SplitData) -> list[LostExample]:
    """Return the examples that the file does worse than Keras, worst first; none where examples have no scores."""
    import numpy as np

    model, file = comparison.model, comparison.file
    if model.example_scores is None or file.example_scores is None:
        return []
    sign = 1 if comparison.higher_is_better else -1
    worse = sign * (model.example_scores - file.example_scores)
    order = [int(row) for row in np.argsort(-worse, kind="stable") if worse[row] > 0]
    return [
        LostExample(split.names[row], comparison.split, model.predictions[row], file.predictions[row]) for row in order
    ]


def _write(staging: Path, exported: Exported, subject: Subject, workers: Workers) -> None:
    test = exported.comparisons["test"]
    rows = golden.choose(subject, test.file.predictions, test.model.predictions)
    samples = golden.make(subject, workers.runtime, exported.runnable, rows)
    parity: dict[str, Sequence[OutputParity]] = {
        split: comparison.parity for split, comparison in exported.comparisons.items()
    }
    scores: dict[str, Any] = {split: comparison.as_json() for split, comparison in exported.comparisons.items()}
    write_bundle(staging, exported.export, subject, exported.runnable, samples, parity, scores, exported.latency_ms)
