"""A search by two workers that train: one is killed, the search is interrupted, and goes on; nothing stays behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RECIPE = """\
name: tiny
task: {type: image_classification, classes: 10}
data: {source: digits, preprocessing: {image_size: [8, 8], color_mode: grayscale}}
model: {blocks: [{type: conv, filters: 4, name: stem}, flatten]}
training: {epochs: 12, batch_size: 16}
export: [{target: generic, quantization: int8}]
tuning:
  algorithm: grid
  objectives: [score, latency]
  space: {model.blocks.stem.filters: {type: choice, values: [2, 4, 6, 8]}}
"""
MARK = "CNNPIPE_TEST_MARK"
ENDS_SECONDS = 400
pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "cnnpipe", "tune", "tiny.yaml", "--workers", "2", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=folder, env={**os.environ, MARK: str(folder)}, stdout=pipe, stderr=pipe, text=True
    )


def descendants(folder: Path) -> set[int]:
    """Return all processes that a search started, itself included."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={folder}\0".encode() in (process / "environ").read_bytes():
                found.add(int(process.name))
        except OSError:  # gone, or another user's
            continue
    return found


def trainings(folder: Path, chief: int) -> list[int]:
    """Return the processes of trials: the children of the chief."""
    parents = {pid: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1] for pid in descendants(folder)}
    return [pid for pid, parent in parents.items() if parent == str(chief)]


def wait_for(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + ENDS_SECONDS
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.05)


def states(folder: Path) -> dict[str, str]:
    file = folder / "studies" / "tiny" / "study.json"
    trials = json.loads(file.read_text())["state"]["trials"] if file.exists() else []
    return {trial["id"]: trial["status"] for trial in trials}


def test_two_workers_are_killed_interrupted_and_go_on(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(RECIPE)
    chief = started(tmp_path)
    wait_for(lambda: len(trainings(tmp_path, chief.pid)) == 2)
    os.kill(trainings(tmp_path, chief.pid)[0], signal.SIGKILL)
    wait_for(lambda: {"FAILED", "COMPLETED"} <= set(states(tmp_path).values()))
    chief.send_signal(signal.SIGINT)
    _, said = chief.communicate(timeout=ENDS_SECONDS)
    assert chief.returncode == 130, said
    assert said.splitlines()[-1].startswith("interrupted; no finished trial is lost. Go on with the same command")
    wait_for(lambda: not descendants(tmp_path))
    before = {number: state for number, state in states(tmp_path).items() if state != "RUNNING"}
    written = {number: (tmp_path / "studies" / "tiny" / "trials" / number).stat().st_mtime_ns for number in before}
    result, said = started(tmp_path, "--json").communicate(timeout=ENDS_SECONDS)
    assert not descendants(tmp_path)
    trials: dict[str, Any] = {trial["trial"]: trial for trial in json.loads(result)["trials"]}
    (killed,) = [trial for trial in trials.values() if trial["state"] == "failed"]
    assert len(trials) == 4 and "died of SIGKILL" in killed["reason"]
    for number, at in written.items():
        assert trials[number]["state"].upper() == before[number]
        assert (tmp_path / "studies" / "tiny" / "trials" / number).stat().st_mtime_ns == at
    assert all(0 < t["objectives"]["latency"] < 1000 for t in trials.values() if t["state"] == "completed")
