"""What goes wrong ends in one sentence and an exit code, never in a traceback."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from cnnpipe.errors import GateError, Place, Problem, ProblemError
from cnnpipe.report.problems import render

Call = Callable[..., Result]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Return a function that makes the job of `cnnpipe list` raise."""

    def fail(error: BaseException) -> None:
        def job(kind: str | None) -> None:
            raise error

        monkeypatch.setattr("cnnpipe.jobs.list_components.list_components", job)

    return fail


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (ProblemError(Problem("bad", hint="Mend it.")), 2, "bad. Mend it.\n1 error\n"),
        (GateError(Problem("lost 3")), 1, "lost 3.\n1 error\n"),
        (KeyboardInterrupt(), 130, "\nStopped.\n"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "x/y"), 2, "No space left on device (x/y).\n1 error\n"),
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES), "z"), 2, "Permission denied (z).\n1 error\n"),
    ],
    ids=["problem", "gate", "ctrl-c", "full disk", "no permission"],
)
def test_exit_codes(call: Call, failing: Callable[..., None], error: BaseException, code: int, text: str) -> None:
    failing(error)
    done = call("list")
    assert done.exit_code == code
    assert done.stderr.endswith(text)
    assert done.stdout == ""


def test_a_stopped_run_says_how_to_go_on(call: Call, failing: Callable[..., None]) -> None:
    class Stopped(ProblemError):
        exit_code = 130

    failing(Stopped(Problem("stopped in epoch 3", hint="Go on with: cnnpipe train --resume digits/0001")))
    done = call("list")
    assert done.exit_code == 130
    assert done.stderr == "stopped in epoch 3. Go on with: cnnpipe train --resume digits/0001\n"


def test_our_own_mistake_is_one_sentence_and_a_file(call: Call, failing: Callable[..., None]) -> None:
    failing(ZeroDivisionError("division by zero"))
    done = call("list")
    assert done.exit_code == 70
    assert len(done.stderr.splitlines()) == 1
    assert "mistake in cnnpipe" in done.stderr
    assert "ZeroDivisionError: division by zero" in done.stderr
    file = Path(re.search(r"traceback is in (.*)\.\n", done.stderr)[1])
    assert "Traceback (most recent call last)" in file.read_text()
    file.unlink()


@pytest.mark.parametrize("arguments", [["--debug", "list"], ["list", "--debug"]], ids=["before", "after"])
def test_debug_shows_the_traceback(call: Call, failing: Callable[..., None], arguments: list[str]) -> None:
    failing(ProblemError(Problem("bad")))
    assert "Traceback (most recent call last)" in call(*arguments).stderr


def test_json_of_a_failure_is_one_object(call: Call, failing: Callable[..., None]) -> None:
    failing(ProblemError([Problem("bad"), Problem("odd", severity="warning")]))
    done = call("list", "--json")
    assert [problem["message"] for problem in json.loads(done.stdout)["problems"]] == ["bad", "odd"]
    assert done.stderr.endswith("1 error, 1 warning\n")


def test_a_missing_plugin_folder(call: Call) -> None:
    done = call("list", "--plugins", "nowhere")
    assert done.exit_code == 2
    assert "nowhere" in done.stderr


def test_a_folder_without_plugins(call: Call, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = call("list", "--plugins", "empty")
    assert done.exit_code == 2
    assert "holds no plugins" in done.stderr


def test_the_source_line_is_shown_around_its_column(tmp_path: Path) -> None:
    file = tmp_path / "long.yaml"
    file.write_text("first: 1\n" + "x" * 300 + " here " + "y" * 300 + "\n")
    first, line, caret, count = render([Problem("wrong", Place(str(file), 2, 302))]).splitlines()
    assert first == f"{file}:2:302: wrong."
    assert len(line) <= 110
    assert line[caret.index("^") :].startswith("here")
    assert count == "1 error"


@pytest.mark.parametrize("content", [b"\x00\xff\xfe", b""], ids=["binary", "empty"])
def test_a_place_without_a_readable_line_is_shown_alone(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "odd.yaml"
    file.write_bytes(content)
    assert render([Problem("wrong", Place(str(file), 1, 1))]).splitlines() == [f"{file}:1:1: wrong.", "1 error"]
