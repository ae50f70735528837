"""The trials of a study as people look at them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cnnpipe.task import Metric

State = Literal["running", "unfinished", "completed", "failed", "rejected"]
SCORE, LATENCY = "score", "latency"
MEASURED = (SCORE, LATENCY)
"""Objectives that are known only when a trial ended."""


@dataclass(frozen=True)
class Record:
    """One candidate.

    Args:
        number: Which trial it is; empty when it was rejected before it became one.
        state: What became of it.
        labels: Its values as tables call them, by path; parameters that it does not have are left out.
        codes: What the algorithm drew.
        objectives: What it reached, by the name of the objective; without the score unless it is completed.
        epochs: How many epochs it was trained; None unless it is completed.
        seconds: How long its trial took; None unless it ended.
        reason: Why it failed or was rejected.
    """

    number: str
    state: State
    labels: Mapping[str, str]
    codes: Mapping[str, Any]
    objectives: Mapping[str, float]
    epochs: int | None = None
    seconds: float | None = None
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "trial": self.number, "state": self.state, "values": dict(self.labels), "objectives": dict(self.objectives),
            "epochs": self.epochs, "seconds": self.seconds, "reason": self.reason,
        }  # fmt: skip


@dataclass(frozen=True)
class Objectives:
    """What a search makes better.

    Args:
        names: Their names, most important first.
        metric: What the score is.
    """

    names: tuple[str, ...]
    metric: Metric

    def higher_is_better(self, name: str) -> bool:
        """Whether more of an objective is better: of all but the score, less is."""
        return name == SCORE and self.metric.higher_is_better

    def title(self, name: str) -> str:
        """Return what tables call an objective."""
        return {SCORE: f"validation {self.metric.name}", LATENCY: "ms on this host"}.get(name, name)

    def costs(self, values: Mapping[str, float]) -> tuple[float, ...]:
        """Return the objectives of a candidate, each as a number that shall become smaller."""
        return tuple(-values[name] if self.higher_is_better(name) else values[name] for name in self.names)


def completed(records: tuple[Record, ...]) -> list[Record]:
    """Return the candidates that were trained to their end."""
    return [record for record in records if record.state == "completed"]


def best(records: tuple[Record, ...], objectives: Objectives) -> Record | None:
    """Return the best candidate by the first objective, of equal ones by the next, and of those the first."""
    return min(completed(records), key=lambda record: objectives.costs(record.objectives), default=None)


def front(records: tuple[Record, ...], objectives: Objectives) -> list[Record]:
    """Return the candidates than which none is better in one objective and as good in all others, best score first."""
    done = {record.number: objectives.costs(record.objectives) for record in completed(records)}
    found = [
        record for record in completed(records)
        if not any(_dominates(other, done[record.number]) for other in done.values())
    ]  # fmt: skip
    return sorted(found, key=lambda record: done[record.number])


def _dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))
