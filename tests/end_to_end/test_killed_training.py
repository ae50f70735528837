"""A training that is killed again and again ends with the weights of one that was left alone."""

import csv
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cnnpipe.runs import open_run

CHILD = Path(__file__).with_name("train_and_die.py")
RECIPE = """
name: small
task: {type: image_classification}
data:
  source: digits
  preprocessing: {image_size: [8, 8], color_mode: grayscale}
  augmentation:
    - {type: random_translation, height_factor: 0.1, width_factor: 0.1}
    - {type: random_rotation, factor: 0.05}
model:
  blocks:
    - {type: conv_relu_pool, filters: 8, batch_normalization: true, dropout: 0.1}
    - flatten
    - {type: dense, units: 16, dropout: 0.2}
training:
  batch_size: 100
  early_stopping: {patience: 4}
  phases:
    - {name: first, epochs: 2, schedule: one_cycle}
    - {name: second, epochs: 3, optimizer: {type: adam, learning_rate: 0.002, use_ema: true}}
"""


def train(folder, *arguments):
    return subprocess.run(
        [sys.executable, CHILD, folder, *map(str, arguments)], capture_output=True, text=True, timeout=300
    )


def history(folder):
    with (open_run("small", folder / "runs").folder / "history.csv").open() as stream:
        return [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(stream)]


@pytest.fixture
def folders(tmp_path):
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "small.yaml").write_text(RECIPE)
    return tmp_path / "whole", tmp_path / "killed"


def test_killed_and_resumed_equals_left_alone(folders):
    whole, killed = folders
    reference = train(whole, "start")
    assert reference.returncode == 0, reference.stderr

    # an epoch is 13 steps in calls of one (13 is prime); each resume begins where the last checkpoint was
    assert train(killed, "start", "write", 2).returncode == -signal.SIGKILL
    assert train(killed, "resume", "history", 3).returncode == -signal.SIGKILL
    stopped = train(killed, "resume", "interrupt", 46)
    assert stopped.returncode == 130
    assert (
        "interrupted in epoch 4 of 5 (phase 'second'); everything up to step 46 is saved. Go on with `cnnpipe train"
        in stopped.stdout
    )
    assert open_run("small", killed / "runs").record()["state"] == "interrupted"
    assert train(killed, "resume", "step", 60).returncode == -signal.SIGKILL
    last = train(killed, "resume")

    assert last.returncode == 0, last.stderr
    assert last.stdout == reference.stdout
    assert last.stdout.startswith("weights ")
    assert history(killed) == history(whole)
    assert not list((killed / "runs").rglob(".writing-*"))
