"""A training that is killed again and again ends with the weights of one that was left alone."""

import csv
import json
import math
import os
import random
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from cnnpipe.runs import open_run
from cnnpipe.safe_model import load_keras
from cnnpipe.training import progress_of

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows knows neither fork nor SIGKILL")
CHILD = Path(__file__).with_name("train_and_die.py")
SEED = "CNNPIPE_TEST_KILLS"
"""Environment variable with the seed of the kills, to see those of an earlier run of the tests again."""
EPOCHS, EPOCH_STEPS = 5, 13  # in calls of one step: 13 is prime
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


PHOTOS = """
name: small
task: {{type: image_classification}}
data:
  source: {{type: image_folder, path: {photos}}}
  preprocessing: {{image_size: [96, 96]}}
  split: {{validation: 0.2, test: 0.2}}
  augmentation: [{{type: random_flip, mode: horizontal}}]
model:
  backbone: {{type: mobilenet_v2, alpha: 0.35, weights: {{file: {weights}}}}}
training:
  batch_size: 8
  phases:
    - {{name: head, epochs: 4, freeze: backbone, cached_views: 2}}
    - {{name: fine_tuning, epochs: 1, learning_rate: 1e-4}}
"""


class Trainer:
    """Trains a recipe in folders by name, in processes that may be killed."""

    def __init__(self, process, folder, recipe):
        self.process, self.folder, self.recipe = process, folder, recipe

    def train(self, name, **job):
        folder = self.folder / name
        resume = (folder / "runs").exists()
        folder.mkdir(exist_ok=True)
        (folder / "small.yaml").write_text(self.recipe)
        print(json.dumps({"folder": str(folder), "resume": resume, **job}), file=self.process.stdin, flush=True)
        answer = json.loads(self.process.stdout.readline())
        return {**answer, "weights": answer["printed"].splitlines()[-1:]}

    def command(self, name, *arguments):
        job = {"folder": str(self.folder / name), "command": arguments}
        print(json.dumps(job), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def weights(self, name):
        return [array.tobytes() for array in load_keras(self._run(name).folder / "model.keras").get_weights()]

    def progress(self, name):
        return progress_of(self._run(name))

    def record(self, name):
        return self._run(name).record()

    def history(self, name):
        with (self._run(name).folder / "history.csv").open() as stream:
            return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(stream)]

    def _run(self, name):
        return open_run("small", self.folder / name / "runs")


@contextmanager
def trainer(folder, recipe=RECIPE):
    command = [sys.executable, CHILD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Trainer(process, folder, recipe)
        process.stdin.close()


def chance_of_kills():
    seed = int(os.environ.get(SEED) or random.randrange(2**32))
    print(f"{SEED}={seed}")
    return random.Random(seed)


def kill_point(chance, kind, epochs, kills_left):
    """Choose a moment after so many finished epochs; about as far from it as leaves room for the other kills."""
    share = math.ceil(min(1, 2 / kills_left) * (EPOCHS - epochs))
    if kind == "step":
        return {"moment": kind, "number": epochs * EPOCH_STEPS + chance.randint(1, share * EPOCH_STEPS)}
    if kind == "history":
        return {"moment": kind, "number": epochs + chance.randint(1, share)}
    return {"moment": kind, "number": chance.randint(1, share)}


def test_killed_and_resumed_equals_left_alone(tmp_path):
    chance = chance_of_kills()
    kinds = ["step", "history", chance.choice(["part", "replace"])]
    chance.shuffle(kinds)
    with trainer(tmp_path) as at:
        reference = at.train("whole")
        assert reference["code"] == 0, reference["printed"]

        epochs = 0
        for number, kind in enumerate(kinds):  # each resume begins where the last checkpoint was
            job = kill_point(chance, kind, epochs, kills_left=4 - number)
            print(job)
            assert at.train("killed", **job)["code"] == -signal.SIGKILL
            epochs = at.progress("killed").epochs
        step = at.progress("killed").step + chance.randint(1, EPOCH_STEPS - 1)
        stopped = at.train("killed", moment="interrupt", number=step)
        assert stopped["code"] == 130
        assert f"everything up to step {step} is saved. Go on with `cnnpipe train" in stopped["printed"]
        epoch = step // EPOCH_STEPS + 1
        phase = "first" if epoch <= 2 else "second"
        assert f"interrupted in epoch {epoch} of 5 (phase '{phase}')" in stopped["printed"]
        assert at.record("killed")["state"] == "interrupted"
        last = at.train("killed")

        assert last["code"] == 0, last["printed"]
        assert last["weights"] == reference["weights"]
        assert last["weights"][0].startswith("weights ")
        assert at.history("killed") == at.history("whole")
    assert not list((tmp_path / "killed" / "runs").rglob(".writing-*"))


def test_goes_on_with_more_epochs_and_with_nothing_that_earlier_steps_depend_on(tmp_path):
    change = "training.phases.second.epochs=4"
    with trainer(tmp_path) as at:
        assert at.train("changed", moment="step", number=2 * EPOCH_STEPS + 3)["code"] == -signal.SIGKILL
        before = at.record("changed")
        refused = at.command("changed", "train", "--resume", "small", "--set", "training.batch_size=50")
        assert refused["code"] == 2
        assert (
            "--set 1: training.batch_size: earlier steps depend on training.batch_size: 100 → 50" in refused["printed"]
        )
        assert at.record("changed") == before
        more = at.command("changed", "train", "--resume", "small", "--set", change)
        assert more["code"] == 0, more["printed"]
        note = f"Changed after step {2 * EPOCH_STEPS}: training.phases.second.epochs: 3 → 4"
        assert f"note: {note}" in more["printed"]
        assert "takes the whole phase" not in more["printed"]

        whole = at.train("whole", overrides=[change])
        assert whole["code"] == 0, whole["printed"]
        assert at.weights("changed") == at.weights("whole")
        assert at.history("changed") == at.history("whole")
        record = at.record("changed")
        path = change.partition("=")[0]
        assert record["changes"] == [{"step": 2 * EPOCH_STEPS, "path": path, "old": "3", "new": "4"}]
        assert note in record["notes"]
        done = at.command("changed", "train", "--resume", "small", "--set", "training.phases.second.epochs=9")
        assert done["code"] == 2
        assert "is trained; there is nothing to go on with. Train a new run with these values" in done["printed"]


@pytest.mark.real_data
def test_killed_while_features_of_photos_are_trained_on(tmp_path, real_data):
    from PIL import Image

    for name in ("ants", "bees"):
        folder = tmp_path / "photos" / name
        folder.mkdir(parents=True)
        for file in sorted((real_data / "hymenoptera" / "train" / name).glob("*.jpg"))[:20]:
            Image.open(file).convert("RGB").resize((96, 96)).save(folder / file.name)
    (weights,) = (real_data / "weights" / "keras-mobilenetv2-0.35-224").glob("*.h5")
    with trainer(tmp_path, PHOTOS.format(photos=tmp_path / "photos", weights=weights)) as at:
        assert at.train("killed", moment="step", number=12)["code"] == -signal.SIGKILL
        progress = at.progress("killed")
        assert (progress.phase, progress.epochs) == (0, 2)
        last = at.train("killed")
        assert last["code"] == 0, last["printed"]
        (note,) = [note for note in at.record("killed")["notes"] if note.startswith("Phase 'head' trains on features")]
        assert "each in 2 changed copies" in note
        assert "read from" in note
        assert at.train("whole")["weights"] == last["weights"]
        assert at.history("killed") == at.history("whole")
