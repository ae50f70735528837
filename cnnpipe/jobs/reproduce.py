"""Train an earlier run again and tell whether it comes to the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cnnpipe.bundle.workers import Workers
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.events import Listener
from cnnpipe.jobs import fitting
from cnnpipe.jobs.diff_runs import Fact, differing_facts
from cnnpipe.jobs.results import HEADLINE
from cnnpipe.jobs.run_scores import Paired, ScorePair, paired, score_pairs
from cnnpipe.jobs.same_weights import same_weights
from cnnpipe.jobs.scoring import is_measured
from cnnpipe.jobs.trained import RESOLVED, open_trained
from cnnpipe.jobs.workers import gathered
from cnnpipe.recipe.load import load_recipe
from cnnpipe.runs import Run, hardware, plugins, versions


@dataclass(frozen=True)
class ReproduceResult:
    """An earlier run and its repetition.

    Args:
        old: The earlier run.
        new: The folder of its repetition.
        environment: What differs: versions, hardware, plugins, weights to start from. Data never does.
        bit_identical: Whether both models have the same weights, bit for bit.
        scores: Scores of both on the test and the validation split.
        paired: The test split example by example, None when it cannot be told.
        metric: The headline metric.
        tolerance: How much it may differ, in its own unit.
        difference: The greater of its differences on test and validation split, without sign.
        notes: What cannot be compared, and why.
    """

    old: str
    new: Path
    environment: tuple[Fact, ...]
    bit_identical: bool
    scores: tuple[ScorePair, ...]
    paired: Paired | None
    metric: str
    tolerance: float
    difference: float
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the repetition came to the same, within the tolerance."""
        return self.bit_identical or self.difference <= self.tolerance

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What differs more than it may."""
        if self.passed:
            return ()
        causes = ", ".join(fact.name for fact in self.environment)
        hint = f"What differs besides: {causes}." if causes else "Versions, hardware and plugins are equal."
        message = f"{self.metric} differs by {self.difference:.4g} from {self.old}; allowed is {self.tolerance:.4g}"
        return (Problem(message, hint=f"{hint} --tolerance allows more."),)

    def as_json(self) -> dict[str, Any]:
        """Return the plain form, with `passed`."""
        return {**asdict(self), "new": str(self.new), "passed": self.passed}


def reproduce(
    run: str | Path,
    tolerance: float = 0.0,
    runs_folder: str | Path = Path("runs"),
    listener: Listener | None = None,
) -> ReproduceResult:
    """Train the resolved recipe of a run again, with its seed, in a new run folder, and compare.

    Other versions, hardware or plugins are told and do not stop it; files are not exported again.

    Args:
        run: A run folder, a name and number, or a name: its newest run.
        tolerance: By how much the headline metric may differ on test and validation split, in its own unit.
        runs_folder: Where names are looked up, and where the new run goes.
        listener: Hears what is going on.

    Raises:
        ProblemError: There is no such run, it is not measured, or its data changed.
        InterruptedRun: Ctrl-C while training; it can go on with `resume`.
    """
    notes = fitting.Notes(listener or Listener())
    old = open_trained(run, runs_folder).run
    if not is_measured(old):
        hint = f"Measure it with: cnnpipe train --resume {old.folder}"
        raise ProblemError(Problem(f"{old.folder} is trained and has no scores to compare with", hint=hint))
    for text in _warnings(old):
        notes.note(text)
    loaded = load_recipe(old.folder / RESOLVED)
    with gathered(loaded, notes, runs_folder) as cluster:
        with Workers() as converters:
            prepared = fitting.prepare(loaded, converters, notes, runs_folder, dry=False)
        fitting.check_data(old, prepared.data)
        new = fitting.begin(prepared, runs_folder)
        new.update(reproduces=old.reference)
        with fitting.recorded(new, notes):
            fitting.finish(fitting.train_in(new, prepared, notes, cluster=cluster))
    return _compared(old, new, tolerance)


def _warnings(old: Run) -> Iterator[str]:
    """Yield why a repetition may come to something else: another environment, or a recipe that changed on the way."""
    record = old.record()
    now = {"versions": versions(), "hardware": hardware(), "plugins": plugins()}
    for fact in differing_facts({key: record.get(key) for key in now}, now):
        yield f"{fact.name} was {fact.old}, is {fact.new}"
    for change in record.get("changes", []):
        yield (
            f"{old.reference} went on after step {change['step']} with {change['path']} {change['new']} in the place "
            f"of {change['old']}; here it is so from the beginning"
        )


def _compared(old: Run, new: Run, tolerance: float) -> ReproduceResult:
    metric = old.record()[HEADLINE]["metric"]
    pairs = tuple(pair for pair in score_pairs(old, new) if pair.what in ("test", "validation"))
    distances = [
        abs(pair.new.value - pair.old.value) if pair.old and pair.new else float("inf")
        for pair in pairs
        if pair.metric == metric
    ]
    found, notes = paired(old, new)
    return ReproduceResult(
        old=old.reference,
        new=new.folder,
        environment=differing_facts(old.record(), new.record()),
        bit_identical=bool(same_weights(old, new)),
        scores=pairs,
        paired=found,
        metric=metric,
        tolerance=tolerance,
        difference=max(distances, default=float("inf")),
        notes=notes,
    )
