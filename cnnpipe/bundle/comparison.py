"""A file against its Keras model on one split: scores, drop, parity, the promises it broke, the examples it lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from cnnpipe.bundle.parity import ROUNDED, OutputParity, compare_outputs
from cnnpipe.bundle.runtime import Runnable, file_outputs
from cnnpipe.bundle.subject import Subject
from cnnpipe.child import Child
from cnnpipe.datasets import SplitName
from cnnpipe.errors import Problem
from cnnpipe.evaluation import Drop, Evaluation, compare, evaluate
from cnnpipe.manifest import Proof
from cnnpipe.recipe.exports import PlannedExport
from cnnpipe.task import Arrays, Metric, Prediction, Scores


@dataclass(frozen=True)
class Comparison:
    """A file against its Keras model on one split.

    Args:
        split: The split.
        model: What Keras is worth.
        file: What the file is worth.
        drop: How much worse the file is.
        parity: How near each output is to that of Keras.
        headline: The metric of the drop.
        names: Names of the examples.
    """

    split: SplitName
    model: Evaluation
    file: Evaluation
    drop: Drop
    parity: tuple[OutputParity, ...]
    headline: Metric
    names: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the scores of both and the drop as plain values."""
        return {"model": _scores(self.model.scores), "file": _scores(self.file.scores), "drop": asdict(self.drop)}


@dataclass(frozen=True)
class LostExample:
    """An example that the file does worse than its Keras model."""

    name: str
    split: SplitName
    model: Prediction
    file: Prediction


class Comparer:
    """Compares files with one Keras model, which answers once for each split, when it is first asked for.

    Args:
        subject: What was exported.
        runtime: The process that runs files.
    """

    def __init__(self, subject: Subject, runtime: Child) -> None:
        self._subject, self._runtime = subject, runtime
        self._reference: dict[SplitName, tuple[Arrays, Evaluation]] = {}

    def compare(
        self,
        export: PlannedExport,
        runnable: Runnable,
        name: SplitName,
        rounded: Callable[[Arrays], Arrays] | None = None,
    ) -> Comparison:
        """Return how a file does on a split.

        Args:
            export: What was asked for.
            runnable: The file.
            name: The split.
            rounded: The network with the file's rounding in it, which parity is then measured against.
        """
        task, facts, split = self._subject.task, self._subject.facts, self._subject.splits[name]
        reference, model = self._model(name)
        found = task.answer(lambda inputs: file_outputs(self._runtime, runnable, inputs), split.inputs, facts)
        file = evaluate(task, found, split, facts)
        tolerance = ROUNDED if rounded else None
        reference = task.answer(rounded, split.inputs, facts) if rounded else reference
        outputs, names = runnable.facts.outputs, split.names
        listed = self._subject.signature.listed
        parity = compare_outputs(reference, found, outputs, export.quantization, names, tolerance, listed)
        return Comparison(name, model, file, compare(task, model, file), tuple(parity), task.headline(), split.names)

    def _model(self, name: SplitName) -> tuple[Arrays, Evaluation]:
        if name not in self._reference:
            task, facts, split = self._subject.task, self._subject.facts, self._subject.splits[name]
            outputs = task.answer(self._subject.call, split.inputs, facts)
            self._reference[name] = outputs, evaluate(task, outputs, split, facts)
        return self._reference[name]


def broken_promises(export: PlannedExport, comparison: Comparison) -> Iterator[Problem]:
    """Yield what a file breaks on a split, parity first, each at the export's recipe path."""
    for parity in comparison.parity:
        if not parity.passed:
            yield replace(parity.problem(f"{export.name}/{export.exporter.file_name}"), path=export.path)
    drop = comparison.drop
    # A drop of exactly max_drop is allowed; the small addend keeps 0.03 from being more than 0.03.
    if export.max_drop is not None and not drop.drop <= export.max_drop + 1e-9:
        counts = f"{drop.lost} lost, {drop.won} won of {drop.n}" if drop.differs is not None else f"n={drop.n}"
        yield Problem(
            f"the file {export.name} loses {drop.drop:.4g} of {comparison.headline.name} on {comparison.split} "
            f"({counts}); max_drop allows {export.max_drop:.4g}",
            path=f"{export.path}.max_drop",
        )


def lost_in_runtimes(export: PlannedExport, comparison: Comparison, proofs: Sequence[Proof]) -> Iterator[Problem]:
    """Yield what the file loses of the headline metric in the device's own runtimes, where that is more than allowed.

    Args:
        export: What was asked for.
        comparison: The file against Keras on the split that the runtimes answered.
        proofs: What they said; one that did not get every example is not held to it.
    """
    model = comparison.model.scores.metrics[comparison.headline.name]
    for proof in proofs:
        if export.max_drop is None or proof.score is None or proof.examples != model.n:
            continue
        drop = (model.value - proof.score) * (1 if comparison.headline.higher_is_better else -1)
        if drop > export.max_drop + 1e-9:
            yield Problem(
                f"the file {export.name} loses {drop:.4g} of {comparison.headline.name} on {comparison.split} in "
                f"{proof.runtime} (n={model.n}); max_drop allows {export.max_drop:.4g}",
                path=f"{export.path}.max_drop",
            )


def lost_examples(comparison: Comparison) -> list[LostExample]:
    """Return the examples that the file does worse than Keras, worst first; none where examples have no scores."""
    import numpy as np

    model, file = comparison.model, comparison.file
    if model.example_scores is None or file.example_scores is None:
        return []
    worse = (1 if comparison.headline.higher_is_better else -1) * (model.example_scores - file.example_scores)
    rows = [int(row) for row in np.argsort(-worse, kind="stable") if worse[row] > 0]
    return [
        LostExample(comparison.names[row], comparison.split, model.predictions[row], file.predictions[row])
        for row in rows
    ]


def _scores(scores: Scores) -> dict[str, Any]:
    return {name: asdict(score) for name, score in scores.metrics.items()}
