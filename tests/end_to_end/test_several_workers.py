"""Trainings in several processes and on several devices are those of one; a worker that is killed ends them."""

from __future__ import annotations

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnpipe.cluster.gathering import free_port

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="children are found by Linux's /proc")
SECONDS = 400
NOTICED = 120
"""A killed worker is noticed at once; what is left of this is for crowded cores."""
RECIPE = """
name: small
task: {type: image_classification}
data:
  source: digits
  preprocessing: {image_size: [8, 8], color_mode: grayscale}
  augmentation: [{type: random_translation, height_factor: 0.1, width_factor: 0.1}]
model:
  blocks:
    - {type: conv_relu_pool, filters: 8}
    - flatten
    - {type: dense, units: 16}
training:
  batch_size: 100
  phases:
    - {name: first, epochs: 2, schedule: one_cycle}
    - {name: second, epochs: 2, optimizer: {type: adam, learning_rate: 0.002, use_ema: true}}
"""
UNLIKE = """
extends: small.yaml
name: unlike
model:
  blocks:
    - {type: conv_relu_pool, filters: 8, batch_normalization: true}
    - flatten
    - {type: dense, units: 16, dropout: 0.2}
training:
  optimizer: {type: adam, global_clipnorm: 1.0, gradient_accumulation_steps: 2}
  phases:
    - {name: first, epochs: 400}
"""


def command(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a command in a folder with the recipes."""
    (folder / "small.yaml").write_text(RECIPE)
    (folder / "unlike.yaml").write_text(UNLIKE)
    return subprocess.Popen(
        [sys.executable, "-m", "cnnpipe", *arguments], cwd=folder, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip


def trained(folder: Path, *arguments: str) -> str:
    with command(folder, "train", *arguments) as process:
        try:
            printed, _ = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
    assert process.returncode == 0, printed
    return printed


def history(run: Path) -> list[dict[str, str]]:
    with (run / "history.csv").open() as stream:
        return list(csv.DictReader(stream))


def numbers(run: Path) -> Any:
    names = ("epoch", "step", "loss", "accuracy", "validation_accuracy", "learning_rate")
    return [[float(row[name]) for name in names] for row in history(run)]


def weights(run: Path) -> list[np.ndarray]:
    with np.load(run / "checkpoints" / "state.npz") as arrays:
        return [arrays[name] for name in arrays.files if name.startswith("network")]


def children(pid: int) -> list[int]:
    return [int(child) for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()]


def alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def listens(address: str) -> bool:
    host, port = address.split(":")
    with suppress(OSError), socket.create_connection((host, int(port))):
        return True
    return False


def wait_for(what: Any, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not what() and time.monotonic() < end:
        time.sleep(0.05)
    return bool(what())


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one")
    trained(folder, "small.yaml")
    return folder / "runs" / "small" / "0001"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--workers", "2"), "Each batch of 100 is divided among 2 processes, 50 examples to each"),
        (
            ("--set", "training.distribution={type: mirrored, devices: 2}"),
            "TensorFlow takes one step per call, not 13: 'mirrored' cannot take several",
        ),
    ],
    ids=["two processes", "two devices"],
)
def test_the_result_is_that_of_one(one: Path, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    printed = trained(tmp_path, "small.yaml", *arguments)
    assert said in printed
    (run,) = (tmp_path / "runs" / "small").iterdir()
    np.testing.assert_allclose(numbers(run), numbers(one), rtol=1e-4, atol=1e-4)
    for mine, theirs in zip(weights(run), weights(one), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)
    scores = [json.loads((folder / "scores.json").read_text()) for folder in (run, one)]
    assert scores[0]["test"]["accuracy"] == scores[1]["test"]["accuracy"]

    names = [sorted(str(file.relative_to(folder)) for file in folder.rglob("*")) for folder in (run, one)]
    assert [_without_time(found) for found in names[:1]] == [_without_time(found) for found in names[1:]]
    assert len((run / "history.csv").read_text().splitlines()) == 5
    assert sorted(os.listdir(tmp_path)) == sorted(os.listdir(one.parents[2]))


def _without_time(names: list[str]) -> list[str]:
    return [name.partition(".tfevents")[0] for name in names]


def test_a_killed_training_on_two_devices_goes_on_as_if_it_had_not_been_killed(tmp_path: Path) -> None:
    how = "precision: mixed_bfloat16, distribution: {type: mirrored, devices: 2}"
    mixed = ("--set", f"training={{batch_size: 100, {how}, phases: [{{name: first, epochs: 40}}]}}")
    trained(tmp_path, "small.yaml", *mixed)
    with command(tmp_path, "train", "small.yaml", *mixed) as process:
        try:
            assert wait_for((tmp_path / "runs" / "small" / "0002" / "checkpoints" / "state.npz").exists, SECONDS)
        finally:
            process.kill()
    assert process.wait() == -signal.SIGKILL
    trained(tmp_path, "--resume", "small")
    whole, resumed = sorted((tmp_path / "runs" / "small").iterdir())
    assert numbers(resumed) == numbers(whole)
    for mine, theirs in zip(weights(resumed), weights(whole), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_killed_worker_ends_the_training_which_goes_on_with_workers_that_join(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "unlike" / "0001"
    with command(tmp_path, "train", "unlike.yaml", "--workers", "2") as chief:
        try:
            assert wait_for(lambda: (run / "checkpoints" / "state.npz").exists(), SECONDS)
            (worker,) = children(chief.pid)
            os.kill(worker, signal.SIGKILL)
            printed, _ = chief.communicate(timeout=NOTICED)
        finally:
            chief.kill()
    assert chief.returncode == 1
    assert "BatchNorm takes its statistics from each of the 2 parts of a batch by itself" in printed
    assert "worker 1 at 127.0.0.1 is gone (its process died of SIGKILL); everything up to step " in printed
    assert "Go on with `cnnpipe train --resume" in printed
    assert "Traceback" not in printed
    assert json.loads((run / "run.json").read_text())["state"] == "interrupted"
    with np.load(run / "checkpoints" / "state.npz") as arrays:
        saved = json.loads(str(arrays["progress"]))

    address = f"127.0.0.1:{free_port()}"
    more = ("--resume", "unlike", "--listen", address, "--set", f"training.max_time={int(saved['seconds']) + 3}s")
    with command(tmp_path, "train", *more) as chief:
        try:
            assert wait_for(lambda: listens(address), SECONDS)
            with command(tmp_path, "train", "--join", address) as member:
                try:
                    told, _ = member.communicate(timeout=SECONDS)
                finally:
                    member.kill()
            printed, _ = chief.communicate(timeout=SECONDS)
        finally:
            chief.kill()
    assert (chief.returncode, member.returncode) == (0, 0), printed + told
    assert f"for the chief at {address}, which has the run." in told
    rows = [int(row["epoch"]) for row in history(run)]
    assert rows == list(range(1, len(rows) + 1))
    assert len(rows) > saved["epochs"]


def test_a_killed_chief_leaves_nobody(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "unlike" / "0001"
    with command(tmp_path, "train", "unlike.yaml", "--workers", "2") as chief:
        try:
            assert wait_for(lambda: children(chief.pid), SECONDS)
            (worker,) = children(chief.pid)
        finally:
            chief.kill()
    assert wait_for(lambda: not alive(worker), NOTICED)
    assert not run.exists()
