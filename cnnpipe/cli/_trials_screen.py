"""Shows a search: its candidates while they are trained, and at the end what was found."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cnnpipe.cli._progress import PlainListener, live
from cnnpipe.durations import magnitude
from cnnpipe.events import Listener
from cnnpipe.jobs.searching import TuneListener
from cnnpipe.jobs.tune import PLOT, TuneResult
from cnnpipe.report.tuning import importance_table, trials_table
from cnnpipe.tuning.records import Objectives, Record

if TYPE_CHECKING:
    from rich.live import Live

SHOWN = 15
"""How many candidates are on the screen at once."""


@contextmanager
def live_trials() -> Iterator[TuneListener]:
    """Give a listener for the time of a search."""
    with live() as below:
        if isinstance(below, PlainListener):
            yield PlainTrials(below)
            return
        from rich.live import Live

        console = below._console  # type: ignore[attr-defined]
        with Live(console=console, refresh_per_second=4, transient=True) as drawn:
            yield DrawnTrials(below, drawn)


class PlainTrials(TuneListener):
    """Writes a line for each candidate that ended."""

    def __init__(self, below: PlainListener) -> None:
        self._below, self._told = below, set[str]()
        self.note = below.note  # type: ignore[method-assign]

    def epoch(self, number: str, done: int, total: int, values: Mapping[str, float]) -> None:
        """Write how far a trial is, once for each epoch and when the last line is old enough."""
        if f"{number}/{done}" not in self._told and done:
            self._told.add(f"{number}/{done}")
            self._below.progress(done, total, {f"trial {number} {key}": value for key, value in values.items()})

    def trials(self, records: Sequence[Record], objectives: Objectives, limit: int | None) -> None:
        """Write what is new."""
        for record in records:
            if record.state in ("completed", "failed") and record.number not in self._told:
                self._told.add(record.number)
                self._below.line(_line(record, objectives))


class DrawnTrials(TuneListener):
    """Draws the last candidates as a table, and how far those are that are being trained."""

    def __init__(self, below: Listener, drawn: Live) -> None:
        self._below, self._drawn = below, drawn
        self._table, self._running = "", dict[str, str]()

    def stage(self, name: str) -> None:
        """Draw what is done before the first trial."""
        self._running = {"": f"{name} ..."}
        self._draw()

    def note(self, text: str) -> None:
        """Print the note above the table."""
        self._drawn.console.print(f"note: {text}", markup=False, highlight=False)

    def trials(self, records: Sequence[Record], objectives: Objectives, limit: int | None) -> None:
        """Draw the table anew."""
        shown = [record for record in records if record.state != "rejected"]
        rejected = len(records) - len(shown)
        ended = sum(record.state in ("completed", "failed") for record in shown)
        of = f" of at most {limit}" if limit else ""
        end = f"{ended} trials{of}" + (f", {rejected} candidates rejected before" if rejected else "")
        self._table = f"{trials_table(shown[-SHOWN:], objectives)}\n{end}"
        self._running = {r.number: self._running.get(r.number, "") for r in shown if r.state == "running"}
        self._draw()

    def epoch(self, number: str, done: int, total: int, values: Mapping[str, float]) -> None:
        """Draw how far a trial is."""
        last = "  ".join(f"{key} {value:.4g}" for key, value in values.items())
        self._running[number] = f"trial {number}: epoch {done} of {total}  {last}"
        self._draw()

    def _draw(self) -> None:
        from rich.text import Text

        lines = [self._table, *(line for line in self._running.values() if line)]
        self._drawn.update(Text("\n".join(lines), no_wrap=True, overflow="ellipsis"))


def _line(record: Record, objectives: Objectives) -> str:
    values = ", ".join(f"{path}={label}" for path, label in record.labels.items())
    if record.state == "failed":
        return f"trial {record.number} failed: {record.reason} ({values})"
    reached = ", ".join(f"{objectives.title(name)} {record.objectives[name]:.6g}" for name in objectives.names)
    return f"trial {record.number}: {reached}; {values}"


def screen(result: TuneResult) -> str:
    """Return what the command prints at the end."""
    trained = [record for record in result.records if record.state != "rejected"]
    rejected = [record for record in result.records if record.state == "rejected"]
    several = len(result.objectives.names) > 1
    parts = [
        trials_table(trained, result.objectives),
        *(["rejected before training, by arithmetic:\n" + _rejected(rejected)] if rejected else []),
        f"The search ended after {magnitude(result.seconds)}: {result.ended}. "
        f"Scores are of {result.examples} validation examples.",
        *([_front(result)] if several else []),
        f"What mattered, each parameter by itself:\n\n{importance_table(result.importances)}",
        _best(result),
    ]
    return "\n\n".join(parts)


def _rejected(rejected: Sequence[Record]) -> str:
    reasons = [record.reason for record in rejected]
    counts = {reason: reasons.count(reason) for reason in dict.fromkeys(reasons)}
    return "\n".join(f"  {count} x {reason}" for reason, count in counts.items())


def _front(result: TuneResult) -> str:
    names = ", ".join(result.objectives.title(name) for name in result.objectives.names)
    table = trials_table(result.front, result.objectives)
    return (
        f"No other candidate is as good as one of these in all of {names}:\n\n{table}\n\npicture {result.study / PLOT}"
    )


def _best(result: TuneResult) -> str:
    file = shlex.quote(str(result.recipe))
    return f"best    trial {result.best.number}, as a recipe in {file}\nnext    cnnpipe run {file}"
