"""Shows a running job on stderr: drawn where that is a terminal, plain lines elsewhere."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from cnnpipe.events import Listener

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

SECONDS = 5.0
"""At most so often a line of progress is written where nothing can be drawn."""


@contextmanager
def live() -> Iterator[Listener]:
    """Give a listener for the time of a job. It has its own copy of stderr, as libraries are silenced on the other."""
    with _own_stderr() as stream:
        if not stream.isatty() or os.environ.get("TERM") == "dumb":
            yield PlainListener(stream)
            return
        from rich.console import Console

        drawing = DrawingListener(Console(file=stream))
        try:
            yield drawing
        finally:
            drawing.close()


class PlainListener(Listener):
    """Writes a line for each stage and note, and one for the progress of a long stage every few seconds."""

    def __init__(self, stream: IO[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock, self._last = stream, clock, clock()

    def stage(self, name: str) -> None:
        """Write the stage's name."""
        self._last = self._clock()
        self.line(f"{name} ...")

    def note(self, text: str) -> None:
        """Write the note."""
        self.line(f"note: {text}")

    def progress(self, done: int, total: int, values: Mapping[str, float]) -> None:
        """Write how far the stage is, when the last line is old enough."""
        if self._clock() - self._last >= SECONDS:
            self._last = self._clock()
            self.line(f"  {done}/{total}  {_values(values)}".rstrip())

    def line(self, line: str) -> None:
        """Write a line."""
        with suppress(OSError):  # nobody reads any more: the job goes on
            print(line, file=self._stream, flush=True)


class DrawingListener(Listener):
    """Draws a bar for the current stage, and keeps a line of each finished one."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress: Progress | None = None
        self._bar: TaskID | None = None

    def stage(self, name: str) -> None:
        """End the bar of the stage before and begin one."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self.close()
        self._progress = Progress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[values]}", markup=False),
            console=self._console,
            refresh_per_second=4,
        )
        self._bar = self._progress.add_task(f"{name:<12}", total=None, values="")
        self._progress.start()

    def note(self, text: str) -> None:
        """Print the note above the bar."""
        self._console.print(f"note: {text}", markup=False, highlight=False)

    def progress(self, done: int, total: int, values: Mapping[str, float]) -> None:
        """Move the bar."""
        if self._progress is not None and self._bar is not None:
            self._progress.update(self._bar, completed=done, total=total, values=_values(values))

    def close(self) -> None:
        """End the current bar, and leave it on the screen."""
        if self._progress is not None and self._bar is not None:
            (task,) = self._progress.tasks
            if task.total is None:  # a stage without steps is done when the next one begins
                self._progress.update(self._bar, completed=1, total=1)
            self._progress.stop()
            self._progress = None


@contextmanager
def _own_stderr() -> Iterator[IO[str]]:
    try:
        number = os.dup(sys.stderr.fileno())
    except (AttributeError, OSError, io.UnsupportedOperation):
        yield sys.stderr
        return
    with os.fdopen(number, "w", encoding="utf-8", errors="replace") as stream:
        yield stream


def _values(values: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in values.items())
