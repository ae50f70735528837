"""Ctrl-C outside of training: the run says how it goes on, and nothing in it is half-written."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnpipe.events import Listener
from cnnpipe.jobs import fitting
from cnnpipe.jobs.trained import MODEL
from cnnpipe.runs import create_run
from cnnpipe.training import InterruptedRun


@pytest.mark.parametrize(("trained", "command"), [(False, "cnnpipe train --resume"), (True, "cnnpipe export")])
def test_a_stopped_run_says_how_to_go_on(tmp_path: Path, trained: bool, command: str) -> None:
    run = create_run(tmp_path, "digits")
    if trained:
        run.write_bytes(MODEL, b"")
    with pytest.raises(InterruptedRun) as caught, fitting.recorded(run, fitting.Notes(Listener())):
        raise KeyboardInterrupt
    assert caught.value.exit_code == 130
    assert f"Go on with `{command} {run.folder}`" in str(caught.value)
    assert run.record()["state"] == "interrupted"
    with run.locked():
        pass


def test_bad_input_is_recorded(tmp_path: Path) -> None:
    from cnnpipe.errors import Problem, ProblemError

    run = create_run(tmp_path, "digits")
    with pytest.raises(ProblemError), fitting.recorded(run, fitting.Notes(Listener())):
        raise ProblemError(Problem("the data vanished"))
    assert run.record()["state"] == "failed" and run.record()["problems"] == ["the data vanished."]
