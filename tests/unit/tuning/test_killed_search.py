"""A search that is killed at any moment: no finished trial is repeated or lost, and the end is the same."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).with_name("search_by_arithmetic.py")
RECIPE = """\
name: cheap
task: {type: image_classification, classes: 10}
data: {source: digits, preprocessing: {image_size: [8, 8], color_mode: grayscale}}
model: {blocks: [{type: conv, filters: 4, name: stem}, flatten]}
training: {epochs: 9, batch_size: 64}
tuning:
  algorithm: ALGORITHM
  max_trials: 12
  space:
    model.blocks.stem.filters: {type: choice, values: [4, 8, 16]}
    training.optimizer.learning_rate: {type: float, min_value: 1e-4, max_value: 1e-1, step: 10, sampling: log}
    training.batch_size: {type: choice, values: [13, 64]}
"""


def started(folder: Path, study: str, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, str(SCRIPT), "cheap.yaml", study, f"{study}.log", str(seconds)]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(process: subprocess.Popen[str]) -> dict[str, Any]:
    printed, errors = process.communicate(timeout=600)
    assert process.returncode == 0, printed + errors
    return json.loads(printed.splitlines()[-1])


def lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def kill_after(process: subprocess.Popen[str], log: Path, trials: int, delay: float) -> None:
    """Kill a search a moment after so many more trials began."""
    before = len(lines(log))
    while sum(line.startswith("begin") for line in lines(log)[before:]) < trials:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def ended_trials(study: Path) -> int:
    """Return how many trials of a study are known to have ended."""
    return len(json.loads((study / "study.json").read_text())["state"]["end_order"])


def table(result: dict[str, Any]) -> list[dict[str, Any]]:
    return [{key: value for key, value in trial.items() if key != "seconds"} for trial in result["trials"]]


@pytest.mark.parametrize("algorithm", ["random", "grid"])
def test_a_killed_search_ends_as_if_it_had_not_been(algorithm: str, tmp_path: Path) -> None:
    (tmp_path / "cheap.yaml").write_text(RECIPE.replace("ALGORITHM", algorithm))
    whole = finished(started(tmp_path, "whole", 0))
    chance = random.Random(algorithm)
    for _ in range(2):
        kill_after(
            started(tmp_path, "killed", 0.1), tmp_path / "killed.log", chance.randint(2, 4), chance.random() / 10
        )
    killed = finished(started(tmp_path, "killed", 0))
    assert table(killed) == table(whole)
    assert killed["best"]["values"] == whole["best"]["values"]
    assert sum(trial["state"] == "failed" for trial in table(killed)) > 0
    done = json.loads((tmp_path / "killed" / "study.json").read_text())["state"]
    assert len(done["end_order"]) == len(set(done["end_order"])) == 12
    ended = [line for line in lines(tmp_path / "killed.log") if line.startswith("end")]
    assert len(ended) <= 12 + 2  # at most one trial was over, and not yet written, when a kill came
