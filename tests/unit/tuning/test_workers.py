"""Searches by several workers, in processes of their own on this host: who does what, and who may die."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
  algorithm: random
  max_trials: 10
  space:
    model.blocks.stem.filters: {type: choice, values: [4, 8, 16]}
    training.optimizer.learning_rate: {type: float, min_value: 1e-4, max_value: 1e-1, sampling: log}
"""
ENDS_SECONDS = 120
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts a search or a worker, with a log of its own, in trials of so many seconds."""
    (tmp_path / "cheap.yaml").write_text(RECIPE)
    processes = []

    def started(name: str, seconds: float, *arguments: str, study: str = "study") -> subprocess.Popen[str]:
        command = [sys.executable, str(SCRIPT), "cheap.yaml", study, f"{name}.log", str(seconds), *arguments]
        pipe = subprocess.PIPE
        processes.append(subprocess.Popen(command, cwd=tmp_path, stdout=pipe, stderr=pipe, text=True))
        return processes[-1]

    yield started
    for process in processes:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str], code: int = 0) -> tuple[Any, str]:
    """Return the result of a process and all that it printed."""
    printed, errors = process.communicate(timeout=ENDS_SECONDS)
    assert process.returncode == code, printed + errors
    return (json.loads(printed.splitlines()[-1]) if code == 0 else None), printed + errors


@contextmanager
def waiting() -> Iterator[Callable[[], None]]:
    """Give what to call in a loop that must end."""
    until = time.monotonic() + ENDS_SECONDS

    def wait() -> None:
        assert time.monotonic() < until
        time.sleep(0.02)

    yield wait


def began(folder: Path, *names: str) -> list[str]:
    """Return the trials that began, by the logs of some processes."""
    logs = [folder / f"{name}.log" for name in names]
    lines = [line for log in logs if log.exists() for line in log.read_text().splitlines()]
    return [line.split()[1] for line in lines if line.startswith("begin")]


def wait_for_trials(folder: Path, count: int, *names: str) -> None:
    with waiting() as wait:
        while len(began(folder, *names)) < count:
            wait()


def free_address() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{taken.getsockname()[1]}"


def rewrite(folder: Path, old: str, new: str) -> None:
    assert old in RECIPE
    (folder / "cheap.yaml").write_text(RECIPE.replace(old, new))


def candidates(result: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(trial["trial"], trial["state"], trial["values"], trial["objectives"]) for trial in result["trials"]]


@pytest.mark.parametrize("algorithm", ["random", "grid", "hyperband", "bayesian"])
def test_two_workers_end_a_search(algorithm: str, start: Start, tmp_path: Path) -> None:
    changes = [f"tuning.algorithm={algorithm}"]
    if algorithm == "grid":
        rewrite(
            tmp_path,
            "min_value: 1e-4, max_value: 1e-1, sampling: log",
            "min_value: 1e-4, max_value: 1e-1, step: 10, sampling: log",
        )
    if algorithm == "hyperband":
        changes += ["tuning.max_trials=null"]
    two, _ = ended(start("two", 0, "--workers=2", *changes))
    assert {trial["state"] for trial in two["trials"]} == {"completed"}
    assert len(two["trials"]) == (10 if algorithm != "hyperband" else 23)
    if algorithm in ("random", "grid"):  # the next candidate does not depend on what came out of others
        assert candidates(two) == candidates(ended(start("one", 0, *changes, study="alone"))[0])


def test_workers_of_other_processes_take_part(start: Start, tmp_path: Path) -> None:
    address = free_address()
    chief = start("chief", 0.1, "--workers=0", f"--listen={address}")
    helpers = [start(f"helper{number}", 0.1, f"--join={address}") for number in range(2)]
    result, printed = ended(chief)
    shares = [ended(helper)[0]["trials"] for helper in helpers]
    assert f"may join at {address}" in printed
    assert sum(shares) == 10 and min(shares) > 0
    assert sorted(began(tmp_path, "helper0", "helper1")) == [trial["trial"] for trial in result["trials"]]
    assert not began(tmp_path, "chief")
    alone = ended(start("alone", 0, study="alone"))[0]
    assert candidates(result) == candidates(alone)  # values survive the network to the last digit
    assert all(len(trial["values"]) == 2 for trial in result["trials"])


def test_a_worker_that_dies_ends_only_its_trial(start: Start, tmp_path: Path) -> None:
    address = free_address()
    chief = start("chief", 0.3, f"--listen={address}", "--patience=2")
    helper = start("helper", 60, f"--join={address}")
    wait_for_trials(tmp_path, 1, "helper")
    helper.send_signal(signal.SIGKILL)
    result, printed = ended(chief)
    (lost,) = began(tmp_path, "helper")
    assert [trial["trial"] for trial in result["trials"] if trial["state"] == "failed"] == [lost]
    assert "which trained it, is gone" in next(trial["reason"] for trial in result["trials"] if trial["trial"] == lost)
    assert "was not heard of for 2 seconds" in printed
    assert sum(trial["state"] == "completed" for trial in result["trials"]) == 9


def test_a_worker_that_is_stopped_gives_its_trial_to_others(start: Start, tmp_path: Path) -> None:
    address = free_address()
    chief = start("chief", 0.2, f"--listen={address}")
    helper = start("helper", 60, f"--join={address}")
    wait_for_trials(tmp_path, 10, "chief", "helper")  # only the helper's is left
    helper.send_signal(signal.SIGINT)
    _, said = ended(helper, code=130)
    assert said.strip().splitlines()[-1].startswith("interrupted. The chief gives")
    result, _ = ended(chief)
    assert {trial["state"] for trial in result["trials"]} == {"completed"} and len(result["trials"]) == 10


def test_a_worker_with_another_recipe_is_refused_and_its_trial_is_done_by_others(start: Start) -> None:
    address = free_address()
    chief = start("chief", 0.1, "--workers=0", f"--listen={address}")
    wrong = start("wrong", 0, f"--join={address}", "training.epochs=7")
    _, said = ended(wrong, code=2)
    assert "the chief searches another recipe: training.epochs: 9 → 7" in said
    assert ended(start("right", 0, f"--join={address}", "tuning.max_trial_time=9m"))[0] == {"trials": 10}
    assert len(ended(chief)[0]["trials"]) == 10


def test_a_worker_with_other_data_ends_the_search(start: Start) -> None:
    address = free_address()
    chief = start("chief", 0.1, f"--listen={address}")
    start("other", 0.1, f"--join={address}", "--data=other")
    _, said = ended(chief, code=2)
    assert "the data changed since study began" in said


def test_a_worker_without_a_chief_says_so(start: Start, tmp_path: Path) -> None:
    address = free_address()
    _, said = ended(start("helper", 0, f"--join={address}", "--patience=0.5"), code=2)
    assert f"no chief answers at {address}" in said
    chief = start("chief", 0, "--workers=0", f"--listen={address}")
    helper = start("helper", 60, f"--join={address}", "--patience=3")
    wait_for_trials(tmp_path, 1, "helper")
    chief.kill()
    _, said = ended(helper, code=2)
    assert f"the chief at {address} is gone" in said


def test_two_workers_killed_with_their_chief_repeat_no_finished_trial(start: Start, tmp_path: Path) -> None:
    whole = ended(start("whole", 0, study="whole"))[0]
    for trials in (4, 3):
        before = len(began(tmp_path, "killed"))
        process = start("killed", 0.1, "--workers=2")
        wait_for_trials(tmp_path, before + trials, "killed")
        process.kill()
        process.communicate()
    result, _ = ended(start("killed", 0, "--workers=2"))
    assert candidates(result) == candidates(whole)
    lines = (tmp_path / "killed.log").read_text().splitlines()
    ends = [line for line in lines if line.startswith("end")]
    assert len(ends) <= 10 + 2 * 2  # at each kill both workers may have been done, and not yet written


def test_an_address_that_is_taken_is_refused(start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        _, said = ended(start("chief", 0, f"--listen={address}"), code=2)
    assert f"cannot listen at {address}" in said


def test_all_trials_of_all_workers_failed(start: Start, tmp_path: Path) -> None:
    rewrite(tmp_path, "  space:\n", "  space:\n    training.batch_size: {type: choice, values: [13]}\n")
    _, said = ended(start("bad", 0, "--workers=2"), code=1)
    assert "no candidate could be trained: 10 failed: bad luck" in said


def test_time_ends_a_search_which_more_time_lets_go_on(start: Start, tmp_path: Path) -> None:
    first, _ = ended(start("first", 3, "--workers=2", "tuning.max_time=5s"))
    states = [trial["state"] for trial in first["trials"]]
    assert first["ended"] == "max_time of 5s is used up" and sorted(states) == ["completed"] * 2 + ["unfinished"] * 2
    more, _ = ended(start("more", 0, "tuning.max_time=1h"))
    assert [trial["state"] for trial in more["trials"]] == ["completed"] * 10
    done = {trial["trial"] for trial in first["trials"] if trial["state"] == "completed"}
    assert len(began(tmp_path, "more")) == 8 and not done & set(began(tmp_path, "more"))


def test_measured_times_are_not_compared_between_hosts(start: Start) -> None:
    changes = ["export=[{target: generic, quantization: int8}]", "tuning.objectives=[score, latency]"]
    _, said = ended(start("chief", 0, "--listen=127.0.0.1:0", *changes), code=2)
    assert "tuning.objectives: times of different hosts cannot be compared" in said
