"""Progress on a terminal, and where there is none."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from cnnpipe.cli._progress import DrawingListener, PlainListener, live


def test_plain_lines_come_every_few_seconds() -> None:
    stream, now = io.StringIO(), [0.0]
    listener = PlainListener(stream, clock=lambda: now[0])
    listener.stage("training")
    for step in range(1, 13):
        now[0] = float(step)
        listener.progress(step, 12, {"loss": 0.5})
    listener.note("Skipped 1 of 9 examples.")
    assert stream.getvalue().splitlines() == [
        "training ...",
        "  5/12  loss 0.5",
        "  10/12  loss 0.5",
        "note: Skipped 1 of 9 examples.",
    ]


def test_a_reader_who_went_away_stops_no_job() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    PlainListener(Gone()).stage("training")


def test_a_terminal_sees_bars_and_notes() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)
    listener = DrawingListener(console)
    listener.stage("reading")
    listener.stage("training")
    listener.progress(3, 12, {"loss": 0.25})
    listener.note("[bold]not markup[/bold]")
    listener.close()
    shown = console.file.getvalue()
    assert "✓ reading" in shown
    assert "3/12" in shown
    assert "loss 0.25" in shown
    assert "note: [bold]not markup[/bold]" in shown


def test_without_a_terminal_nothing_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    with live() as listener:
        assert isinstance(listener, PlainListener)


def test_what_is_shown_survives_a_silenced_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    from cnnpipe.quiet import silent_stderr

    with live() as listener, silent_stderr():
        listener.note("seen")
    assert "note: seen" in capfd.readouterr().err
