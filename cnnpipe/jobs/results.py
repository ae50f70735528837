"""What the jobs return: plain frozen values, each with the `--json` form that is a contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnpipe.errors import Problem
from cnnpipe.evaluation import Drop
from cnnpipe.manifest import Proof, Rung
from cnnpipe.task import Metric, Prediction, Score, Scores

HEADLINE = "headline"
"""The key of `run.json` that holds what `headline_record` returns."""


@dataclass(frozen=True)
class ExportResult:
    """One exported file, measured by running it.

    Args:
        file: The written file.
        target: Type of the target.
        quantization: What happened to weights and activations.
        bytes: Size of the file.
        score: The headline metric of the file.
        drop: Against the Keras model, on the same examples.
        passed: Whether every check held: operators, parity, golden samples, `max_drop`.
        split: Where score and drop were measured; `validation` for a file that was rejected there.
        latency_ms: Median milliseconds for one example on this machine, None when not measured.
        problems: What failed, or should be known.
        lost: Of a rejected file, what was lost: name of the example, what the Keras model says, what the file says.
        proofs: What the device's own runtimes said of it on the test split.
        ladder: Where the recipe asks for the ladder, all that was tried, in this order.
    """

    file: Path
    target: str
    quantization: str
    bytes: int
    score: Score
    drop: Drop
    passed: bool
    split: str = "test"
    latency_ms: float | None = None
    problems: tuple[Problem, ...] = ()
    lost: tuple[tuple[str, Prediction, Prediction], ...] = ()
    proofs: tuple[Proof, ...] = ()
    ladder: tuple[Rung, ...] = ()

    @property
    def label(self) -> str:
        """What tables call it: target with board, format where it is not the usual one, and quantization."""
        folder = self.file.parent.name.removesuffix(".rejected")
        return f"{folder.replace(f'-{self.quantization}', '', 1) or self.target} {self.quantization}"

    def as_json(self) -> dict[str, Any]:
        """Return the plain form: file, target, quantization, bytes, score, drop, passed, proofs, ladder."""
        ladder = {"ladder": [rung.model_dump(mode="json") for rung in self.ladder]} if self.ladder else {}
        return {
            "file": str(self.file),
            "target": self.target,
            "quantization": self.quantization,
            "bytes": self.bytes,
            "score": self.score.value,
            "drop": self.drop.drop,
            "passed": self.passed,
            "proofs": [proof.model_dump(mode="json") for proof in self.proofs],
            **ladder,
        }


@dataclass(frozen=True)
class TrainResult:
    """A trained model.

    Args:
        run: The run folder.
        metric: The headline metric and its direction.
        scores: Measured on the test split, after all decisions.
        epochs: Epochs that were trained.
        best_epoch: The epoch whose weights were kept, counted from 1.
        seconds: Time of the training alone.
        notes: Decisions that were made on the way.
    """

    run: Path
    metric: Metric
    scores: Scores
    epochs: int
    best_epoch: int
    seconds: float
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the plain form: run, scores."""
        return {"run": str(self.run), "scores": scores_as_json(self.scores)}


@dataclass(frozen=True)
class ExportsResult:
    """Files written for an earlier run.

    Args:
        run: The run folder.
        metric: The headline metric and its direction.
        exports: The files.
    """

    run: Path
    metric: Metric
    exports: tuple[ExportResult, ...]

    @property
    def passed(self) -> bool:
        """Whether every file kept every promise."""
        return all(export.passed for export in self.exports)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All problems of all files."""
        return tuple(problem for export in self.exports for problem in export.problems)

    def as_json(self) -> dict[str, Any]:
        """Return the plain form: run, exports."""
        return {"run": str(self.run), "exports": [export.as_json() for export in self.exports]}


@dataclass(frozen=True)
class RunResult:
    """A trained, measured and exported model.

    Args:
        training: The training and the scores of the Keras model.
        exported: The files, in the recipe's order.
    """

    training: TrainResult
    exported: ExportsResult

    @property
    def passed(self) -> bool:
        """Whether every file kept every promise."""
        return self.exported.passed

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All problems of all files."""
        return self.exported.problems

    def as_json(self) -> dict[str, Any]:
        """Return the plain form: run, scores, exports."""
        return {**self.training.as_json(), **self.exported.as_json()}


@dataclass(frozen=True)
class EvaluateResult:
    """Scores of a run's model or of a bundle's file on one split."""

    split: str
    metric: Metric
    scores: Scores

    def as_json(self) -> dict[str, Any]:
        """Return the plain form: scores."""
        return {"scores": scores_as_json(self.scores)}


@dataclass(frozen=True)
class PredictResult:
    """What the model says, by file.

    Args:
        files: The files in the order in which they were given.
        predictions: One per file, as the task says it: label, confidence, confidences, ...
        pictures: One per file with what is said drawn over it; empty when none were asked for.
    """

    files: tuple[Path, ...]
    predictions: Sequence[Prediction]
    pictures: tuple[Path, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the plain form: predictions, each with its file."""
        pairs = zip(self.files, self.predictions, strict=True)
        return {"predictions": [{"file": str(file), **prediction} for file, prediction in pairs]}


def scores_as_json(scores: Scores) -> dict[str, Any]:
    """Return the value of every metric by name, then n, the 95 % intervals and the task's own tables."""
    values = {name: score.value for name, score in scores.metrics.items()}
    intervals = {name: list(score.interval) for name, score in scores.metrics.items() if score.interval}
    numbers: Mapping[str, int] = {name: score.n for name, score in scores.metrics.items()}
    n = next(iter(numbers.values())) if len(set(numbers.values())) == 1 else dict(numbers)
    return {**values, "n": n, "intervals": intervals, **scores.details}


def headline_record(metric: Metric, scores: Scores) -> dict[str, Any]:
    """Return what `run.json` keeps of the scores, so that runs can be put in order without their task."""
    value = scores.metrics[metric.name].value
    return {"metric": metric.name, "value": value, "higher_is_better": metric.higher_is_better}
