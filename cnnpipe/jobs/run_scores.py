"""The scores that two runs keep, side by side, and example by example where both have the same."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.jobs.results import HEADLINE
from cnnpipe.jobs.scoring import EXAMPLE_SCORES, kept_scores
from cnnpipe.runs import Run

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Measured:
    """A score as a run keeps it.

    Args:
        value: The metric.
        n: Number of examples, None where it is not kept.
        interval: Its 95 % interval, None where it has none.
    """

    value: float
    n: int | None
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class ScorePair:
    """One metric of both runs.

    Args:
        what: `test`, `validation`, or the name of an exported file, which is measured on the test split.
        metric: Name of the metric.
        old: The first run's, None where it has none.
        new: The second run's, None where it has none.
    """

    what: str
    metric: str
    old: Measured | None
    new: Measured | None


@dataclass(frozen=True)
class Paired:
    """The second run against the first, example by example of the test split.

    Args:
        n: Number of examples.
        better: How many the second does better.
        worse: How many the second does worse.
        difference: Mean of second minus first, in the headline metric.
        interval: 95 % interval of the difference: where examples are right or wrong that of two shares, else a
            bootstrap over the pairs, and None when they all differ by the same.
    """

    n: int
    better: int
    worse: int
    difference: float
    interval: tuple[float, float] | None


def score_pairs(old: Run, new: Run) -> tuple[ScorePair, ...]:
    """Return the scores of two runs side by side: test and validation split, then the headline metric of each file."""
    scores = [dict(_scores(kept_scores(run), _headline(run))) for run in (old, new)]
    keys = dict.fromkeys([*scores[0], *scores[1]])
    return tuple(ScorePair(*key, scores[0].get(key), scores[1].get(key)) for key in keys)


def _headline(run: Run) -> str:
    return str(run.record().get(HEADLINE, {}).get("metric", ""))


def _scores(kept: Mapping[str, Any], headline: str) -> Iterator[tuple[tuple[str, str], Measured]]:
    for split in ("test", "validation"):
        scores = kept.get(split, {})
        intervals, n = scores.get("intervals", {}), scores.get("n")
        for metric, value in scores.items():
            if metric != "n" and isinstance(value, (int, float)):
                count = n.get(metric) if isinstance(n, dict) else n
                yield (split, metric), Measured(value, count, _interval(intervals.get(metric)))
    for name, splits in kept.get("exports", {}).items():
        score = splits.get("test", {}).get("file", {}).get(headline)
        if score:
            yield (name, headline), Measured(score["value"], score["n"], _interval(score.get("interval")))


def _interval(ends: Any) -> tuple[float, float] | None:
    return (ends[0], ends[1]) if ends else None


def paired(old: Run, new: Run) -> tuple[Paired | None, tuple[str, ...]]:
    """Return how two runs compare on each test example; None when it cannot be told, and why, one sentence each."""
    records = old.record(), new.record()
    if None in (headlines := [record.get(HEADLINE) for record in records]):
        run = old if headlines[0] is None else new
        return None, (f"{run.reference} is not measured ({run.record().get('state')}), so no scores can be compared.",)
    metrics = [headline["metric"] for headline in headlines if headline]
    if metrics[0] != metrics[1]:
        return None, (f"The runs are judged by other metrics ({metrics[0]}, {metrics[1]}): no score stands for both.",)
    if records[0].get("data_fingerprint") != records[1].get("data_fingerprint"):
        why = "The runs have other data or other splits, so their scores are not of the same test examples."
        return None, (f"{why} Their intervals say what that leaves to chance; examples cannot be paired.",)
    for run in (old, new):
        if not (run.folder / EXAMPLE_SCORES).is_file():
            return None, (f"Examples cannot be paired: {run.reference} keeps no score of each example.",)
    one, other = (_example_scores(run) for run in (old, new))
    if list(one) != list(other):
        return None, ("Examples cannot be paired: the runs keep scores of other examples.",)
    higher = bool(headlines[0] and headlines[0]["higher_is_better"])
    return _counted(list(one.values()), list(other.values()), higher), ()


def _counted(old: list[float], new: list[float], higher_is_better: bool) -> Paired:
    import numpy as np

    gain = np.array(new) - np.array(old)
    better = gain if higher_is_better else -gain
    counts = int((better > 0).sum()), int((better < 0).sum())
    return Paired(len(gain), *counts, float(gain.mean()), _of_difference(gain, right_or_wrong={*old, *new} <= {0, 1}))


def _of_difference(gain: np.ndarray, right_or_wrong: bool) -> tuple[float, float] | None:
    """Return the interval of the mean; None when all examples differ by the same, which tells nothing of others."""
    from cnnpipe.statistics import bootstrap, paired_shares

    if right_or_wrong:
        return paired_shares(int((gain > 0).sum()), int((gain < 0).sum()), len(gain))
    return bootstrap(gain[:, None], lambda sums: sums[:, 0] / len(gain)) if gain.min() < gain.max() else None


def _example_scores(run: Run) -> dict[str, float]:
    rows = csv.DictReader(io.StringIO(run.read_text(EXAMPLE_SCORES)))
    try:
        return {row["example"]: float(row["score"]) for row in rows if row["split"] == "test"}
    except (KeyError, TypeError, ValueError) as error:
        raise ProblemError(Problem(f"{run.folder / EXAMPLE_SCORES} is damaged ({error!r})")) from error
