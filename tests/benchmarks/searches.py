"""What searches find in the processor time that a shipped recipe takes: run by hand.

    python tests/benchmarks/searches.py FOLDER [EPOCHS]

FOLDER holds the four files of Fashion-MNIST; all learn from the first 5,000 of its pictures, of which 2,000 are for
validation. Compared are the shipped recipe `fashion_mnist` with EPOCHS, or its own; what AutoKeras tries first for
pictures (`task_specific.py`: two convolutions of 32 and 64, pooling, dropout, one dense layer, Adam, batches of 32, and
early stopping after ten epochs), written as a recipe, with as many epochs; and the space of `fashion_mnist_search` by
random search, Bayesian optimization and Hyperband, each for the processor time that the shipped recipe took. Counted is
the processor time of trainings in one thread, so that a busy machine does not matter; the algorithms' own is not.

`test` is of all 10,000 test pictures, read once for each row: the best candidate is trained again, never chosen by it.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import struct
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import cnnpipe
from cnnpipe.jobs.searching import TuneListener
from cnnpipe.jobs.tune import tune

PICTURES, SIDE, IMAGES_HEADER, LABELS_HEADER = 5000, 28, 16, 8
SHIPPED, SPACE = "fashion_mnist", "fashion_mnist_search"
SPLIT = "data.split={validation: 0.4}"
AUTOKERAS = """\
extends: SHIPPED
name: autokeras
data: {augmentation: []}
model:
  blocks:
    - {type: conv, filters: 32}
    - {type: conv, filters: 64}
    - max_pooling
    - {type: dropout, rate: 0.25}
    - flatten
    - {type: dense, units: 128}
    - {type: dropout, rate: 0.5}
training:
  epochs: EPOCHS
  batch_size: 32
  optimizer: {type: adam, learning_rate: 1e-3}
  schedule: null
  early_stopping: {patience: 10}
  restore: best
export: []
"""
ALGORITHMS = {
    "random search": "random",
    "bayesian": "{type: bayesian, num_initial_points: 5}",
    "hyperband": "{type: hyperband, hyperband_iterations: 100}",
}


class Stopwatch(cnnpipe.Listener):
    """Adds up the processor seconds of the training alone."""

    def __init__(self):
        self.training, self._begin = 0.0, None

    def stage(self, name):
        if self._begin is not None:
            self.training += time.process_time() - self._begin
        self._begin = time.process_time() if name == "training" else None


class Enough(Exception):
    """The budget of a search is used up."""


class Budget(TuneListener):
    """Ends a search whose trials took so many processor seconds."""

    def __init__(self, study, seconds):
        self._study, self._seconds = study, seconds

    def trials(self, records, objectives, limit):
        between = all(record.state != "running" for record in records)
        if between and sum(seconds for seconds, _ in trials(self._study)) >= self._seconds:
            raise Enough


@dataclass
class Row:
    """What one way came to: its name, trials, scores, and for searches the curve of (seconds, best score so far)."""

    name: str
    trials: int
    seconds: float
    validation: float
    test: str
    curve: list[tuple[float, float]]

    def reached(self, score):
        """Return the seconds after which a score was reached; None when it was not."""
        return next((seconds for seconds, best in self.curve if best >= score), None)


def trials(study):
    """Return the processor seconds and the score of each trial that ended, in order."""
    file = study / "study.json"
    state = json.loads(file.read_text())["state"] if file.is_file() else None
    outcomes = [state["outcomes"][number] for number in state["end_order"]] if state else []
    return [(outcome.get("cpu_seconds", outcome["seconds"]), outcome.get("score", 0.0)) for outcome in outcomes]


def subset(folder, target, pictures=PICTURES):
    """Write the first pictures of the training files, and all of the test."""
    target.mkdir()
    for name, header, size in (
        ("train-images-idx3-ubyte", IMAGES_HEADER, SIDE * SIDE),
        ("train-labels-idx1-ubyte", LABELS_HEADER, 1),
    ):
        content = gzip.decompress((folder / f"{name}.gz").read_bytes())
        first = content[:4] + struct.pack(">I", pictures) + content[8 : header + pictures * size]
        (target / name).write_bytes(first)
    for name in ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"):
        (target / name).write_bytes((folder / name).read_bytes())
    classes = json.dumps(cnnpipe.load_recipe(SHIPPED).recipe.task.classes)
    return [f"data.source={{type: idx, path: {target}, classes: {classes}}}", SPLIT]


def trained(name, recipe, overrides):
    """Train a recipe with its own epochs."""
    watch = Stopwatch()
    result = cnnpipe.train(recipe, overrides, runs_folder="runs", listener=watch)
    watch.stage("")
    history = list(csv.DictReader((result.run / "history.csv").read_text().splitlines()))
    kept = float(history[result.best_epoch - 1]["validation_accuracy"])
    score = result.scores.metrics["accuracy"]
    low, high = score.interval
    test = f"{score.value:.4f} ({low:.4f} to {high:.4f})"
    return Row(name, 1, watch.training, kept, test, [(watch.training, kept)])


def searched(name, overrides, seconds):
    """Search for so many processor seconds, then train the best candidate again for its test score."""
    study = Path("studies") / name.replace(" ", "_")
    overrides = [*overrides, f"tuning.algorithm={ALGORITHMS[name]}"]
    try:
        tune(SPACE, [*overrides, "tuning.max_trials=10000"], study, listener=Budget(study, seconds))
    except Enough:
        pass
    ended, curve, spent = trials(study), [], 0.0
    for used, score in ended:
        spent += used
        curve.append((spent, max(score, curve[-1][1] if curve else 0.0)))
    result = tune(SPACE, [*overrides, f"tuning.max_trials={len(ended)}"], study)  # has nothing left to try
    again = trained(name, result.recipe, [])
    return Row(name, len(ended), spent, curve[-1][1], again.test, curve)


def table(rows):
    """Print the rows, with when each reached the score of the first one, and random search's best."""
    shipped, random = rows[0].validation, next(row for row in rows if row.name == "random search").validation
    print(f"\n{'':20} trials  seconds  validation  {'test (95 % interval)':27} to {shipped:.4f}  to {random:.4f}")
    for row in rows:
        times = [row.reached(score) for score in (shipped, random)]
        said = "".join(f"{'never' if at is None else f'{at:.0f} s':>11}" for at in times)
        print(f"{row.name:20} {row.trials:6} {row.seconds:8.0f} {row.validation:11.4f}  {row.test:27}{said}")


def main():
    folder = Path(sys.argv[1]).resolve()
    with TemporaryDirectory() as place:
        os.chdir(place)
        overrides = subset(folder, Path(place) / "subset")
        shipped = cnnpipe.load_recipe(SHIPPED)
        epochs = sys.argv[2] if len(sys.argv) > 2 else str(shipped.recipe.training.epochs)
        rows = [trained("shipped recipe", SHIPPED, [*overrides, f"training.epochs={epochs}"])]
        print(rows[0], flush=True)
        Path("autokeras.yaml").write_text(AUTOKERAS.replace("SHIPPED", str(shipped.file)).replace("EPOCHS", epochs))
        rows.append(trained("AutoKeras's first", "autokeras.yaml", overrides))
        print(rows[1], flush=True)
        for name in ALGORITHMS:
            rows.append(searched(name, overrides, rows[0].seconds))
            print(rows[-1], flush=True)
        table(rows)


if __name__ == "__main__":
    os.environ["TF_NUM_INTRAOP_THREADS"] = "1"
    main()
