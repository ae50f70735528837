"""List the runs of a folder, the best first."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.jobs.results import HEADLINE
from cnnpipe.runs import Run, list_runs
from cnnpipe.spec import nearest


@dataclass(frozen=True)
class RunSummary:
    """A run in one line.

    Args:
        reference: Name and number.
        folder: Where it lies.
        state: How far it came.
        metric: The headline metric; empty when nothing was measured.
        score: Its value on the test split, None when nothing was measured.
        higher_is_better: The metric's direction.
        created: When it began.
    """

    reference: str
    folder: str
    state: str
    metric: str
    score: float | None
    higher_is_better: bool
    created: str

    @property
    def name(self) -> str:
        """The recipe's name."""
        return self.reference.partition("/")[0]

    @property
    def worseness(self) -> float:
        """The score, turned so that less is better."""
        return (self.score or 0.0) * (-1 if self.higher_is_better else 1)

    def as_json(self) -> dict[str, Any]:
        """Return the plain form."""
        return asdict(self)


def runs(name: str | None = None, runs_folder: str | Path = Path("runs")) -> list[RunSummary]:
    """Return all runs, or those of one recipe: by name, then the best score first, then the newest.

    Args:
        name: Name of a recipe.
        runs_folder: Where the runs lie.

    Raises:
        ProblemError: No run has this name.
    """
    found = [_summary(run) for run in list_runs(runs_folder)]
    known = sorted({run.name for run in found})
    if name is not None and name not in known:
        meant = nearest(name, known)
        hint = f"Did you mean '{meant}'?" if meant else f"It has runs of {', '.join(known)}." if known else ""
        raise ProblemError(Problem(f"{runs_folder} holds no run of '{name}'", hint=hint))
    newest_first = reversed([run for run in found if name in (None, run.name)])
    best_first = sorted(newest_first, key=lambda run: (run.score is None, run.worseness))
    return sorted(best_first, key=lambda run: run.name)


def _summary(run: Run) -> RunSummary:
    record = run.record()
    headline = record.get(HEADLINE) or {"metric": "", "value": None, "higher_is_better": True}
    return RunSummary(
        reference=run.reference,
        folder=str(run.folder),
        state=record["state"],
        metric=headline["metric"],
        score=headline["value"],
        higher_is_better=headline["higher_is_better"],
        created=record["created"],
    )
