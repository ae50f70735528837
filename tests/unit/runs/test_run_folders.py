"""Run folders: numbered, atomic, locked."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cnnpipe import files
from cnnpipe.errors import ProblemError
from cnnpipe.events import Listener
from cnnpipe.runs import create_run, list_runs, open_run

HOLD = """
import sys
from pathlib import Path
from cnnpipe.runs import Run
with Run(Path(sys.argv[1])).locked():
    print("locked", flush=True)
    sys.stdin.read()
"""


class Notes(Listener):
    def __init__(self):
        self.texts = []

    def note(self, text):
        self.texts.append(text)


@pytest.fixture
def run(tmp_path):
    return create_run(tmp_path / "runs", "digits")


def hold(run):
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, run.folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "locked\n"
    return child


def everything(folder):
    return {path.name: path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


# ── making and finding ───────────────────────────────────────────────────────────────────────────────────────────────


def test_each_run_gets_the_next_number(tmp_path):
    names = [create_run(tmp_path, "digits").folder.name for _ in range(3)]
    assert names == ["0001", "0002", "0003"]
    (tmp_path / "digits" / "0041").mkdir()
    assert create_run(tmp_path, "digits").folder.name == "0042"


def test_a_run_that_cannot_be_recorded_leaves_no_folder(tmp_path, monkeypatch):
    def full(path, content):
        raise files.writing_failed(path, OSError(errno.ENOSPC, "full"))

    monkeypatch.setattr(files, "write_bytes", full)
    with pytest.raises(ProblemError, match="no space left"):
        create_run(tmp_path, "digits")
    assert not list((tmp_path / "digits").iterdir())


def test_a_new_run_says_what_it_stands_on(tmp_path):
    record = create_run(tmp_path, "digits", {"seed": 3}).record()
    assert (record["state"], record["name"], record["number"], record["seed"]) == ("created", "digits", 1, 3)
    assert record["versions"]["keras"] and record["versions"]["python"] == sys.version.split()[0]
    assert record["hardware"]["cores"] == os.cpu_count()
    assert record["created"].endswith("+00:00")


def test_a_run_is_found_by_folder_name_and_number(tmp_path):
    first, second = create_run(tmp_path, "digits"), create_run(tmp_path, "digits")
    assert open_run(first.folder) == first
    assert open_run("digits/0001", tmp_path) == first
    assert open_run("digits", tmp_path) == open_run("digits", str(tmp_path)) == second
    assert [found.reference for found in list_runs(tmp_path)] == ["digits/0001", "digits/0002"]
    assert list_runs(tmp_path / "nowhere") == []


@pytest.mark.parametrize(("wanted", "hint"), [("digit", "Did you mean 'digits'?"), ("cats/0001", "digits/0001")])
def test_a_run_that_is_not_there(run, wanted, hint):
    with pytest.raises(ProblemError, match="there is no run") as error:
        open_run(wanted, run.folder.parent.parent)
    assert hint in error.value.problems[0].hint


def test_a_rejected_file_is_no_model_to_ask(tmp_path):
    (tmp_path / "rejected.json").write_text("{}")
    with pytest.raises(ProblemError, match=r"was rejected\. .*rejected\.json says why"):
        open_run(tmp_path)


def test_states_are_recorded(run):
    run.update("training", data={"fingerprint": "abc"})
    record = run.record()
    assert (record["state"], record["data"]["fingerprint"], record["name"]) == ("training", "abc", "digits")


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_files_below_the_run(run):
    run.write_text("labels.txt", "ä\n")
    run.write_json("exports/generic-none/bundle.json", {"a": [1, 2]})
    assert run.read_text("labels.txt") == "ä\n"
    assert run.read_json("exports/generic-none/bundle.json") == {"a": [1, 2]}


def test_numbers_that_json_lacks_are_refused(run):
    run.write_json("scores.json", {"accuracy": 0.5})
    with pytest.raises(ValueError, match="JSON compliant"):
        run.write_json("scores.json", {"accuracy": float("nan")})
    assert run.read_json("scores.json") == {"accuracy": 0.5}


@pytest.mark.parametrize("content", ["{", "", "[]"])
def test_a_damaged_record_is_told(run, content):
    (run.folder / "run.json").write_text(content)
    with pytest.raises(ProblemError, match=r"run\.json is damaged"):
        run.record()


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "no space left on the disk"), (errno.EROFS, "read-only"), (errno.EIO, "cannot be written")],
)
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_content(run, monkeypatch, number, words, call):
    run.write_text("scores.json", "old")
    before = everything(run.folder)

    def fail(*arguments):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch, pytest.raises(ProblemError, match=words):
        patch.setattr(files.os, call, fail)
        run.write_text("scores.json", "new")
    assert everything(run.folder) == before


def test_a_writer_that_fails_leaves_nothing(run):
    before = everything(run.folder)
    with pytest.raises(RuntimeError), files.replacing(run.folder / "model.keras") as temporary:
        temporary.write_bytes(b"half")
        assert temporary.suffix == ".keras"
        raise RuntimeError
    assert everything(run.folder) == before


def test_a_file_in_place_of_the_runs_folder(tmp_path):
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(ProblemError, match="is not a folder"):
        create_run(tmp_path / "runs", "digits")
    assert (tmp_path / "runs").read_text() == "a file"


@pytest.mark.parametrize("call", ["mkdir", "open"])
def test_a_read_only_folder(tmp_path, monkeypatch, call):
    run = create_run(tmp_path, "digits")

    def refuse(*arguments, **options):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, call, refuse)
    with pytest.raises(ProblemError, match="read-only"):
        if call == "mkdir":
            create_run(tmp_path, "other")
        else:
            run.write_text("a.txt", "a")


# ── locking ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_second_process_is_kept_out(run):
    child = hold(run)
    try:
        with pytest.raises(ProblemError, match=f"in use by another process .process {child.pid} on"), run.locked():
            pass
    finally:
        child.communicate("")
    with run.locked():
        pass


def test_the_lock_of_a_killed_process_is_taken_over(run):
    child = hold(run)
    (run.folder / f"{files.TEMPORARY}1-model.keras").write_bytes(b"half")
    child.send_signal(signal.SIGKILL)
    child.communicate()
    notes = Notes()
    with run.locked(notes):
        assert not list(run.folder.glob(f"{files.TEMPORARY}*"))
    assert f"left by process {child.pid}" in notes.texts[0]
    with run.locked(notes):
        assert len(notes.texts) == 1


def test_records_are_plain_json(run):
    assert json.loads((run.folder / "run.json").read_text(encoding="utf-8"))["plugins"] == []
