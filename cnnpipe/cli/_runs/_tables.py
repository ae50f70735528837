"""Tables of two runs side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnnpipe.jobs.diff_runs import Fact
    from cnnpipe.jobs.run_scores import Measured, Paired, ScorePair

LONGEST = 60
"""Letters of a value that are shown."""


def scores_table(scores: tuple[ScorePair, ...], header: tuple[str, str]) -> str:
    """Return scores side by side, with n, 95 % intervals and differences."""
    from cnnpipe.report.tables import table

    rows = [(f"{pair.what} {pair.metric}", _score(pair.old), _score(pair.new), _difference(pair)) for pair in scores]
    return table(("score", *header, "B - A"), rows, left=("score", *header))


def _score(score: Measured | None) -> str:
    if score is None:
        return "-"
    interval = f" [{score.interval[0]:.4f}, {score.interval[1]:.4f}]" if score.interval else ""
    return f"{score.value:.4f}{interval}{'' if score.n is None else f' n={score.n}'}"


def _difference(pair: ScorePair) -> str:
    return f"{pair.new.value - pair.old.value:+.4f}" if pair.old and pair.new else "-"


def paired_line(paired: Paired) -> str:
    """Return the sentence about the same examples of two runs."""
    interval = f", 95 % interval [{paired.interval[0]:+.4f}, {paired.interval[1]:+.4f}]" if paired.interval else ""
    return (
        f"On the same {paired.n:,} test examples B is better on {paired.better:,} and worse on {paired.worse:,} "
        f"(difference {paired.difference:+.4f}{interval})."
    )


def facts_table(title: str, facts: tuple[Fact, ...], header: tuple[str, str]) -> str:
    """Return facts side by side; long values are cut."""
    from cnnpipe.report.tables import table

    rows = [(fact.name, _value(fact.old), _value(fact.new)) for fact in facts]
    return table((title, *header), rows, left=(title, *header))


def _value(value: Any) -> str:
    return "-" if value is None else cut(str(value))


def cut(text: str) -> str:
    """Return the beginning of a long text."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
