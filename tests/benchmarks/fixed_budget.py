"""What each recipe of the story learns in the same processor time: run by hand.

    python tests/benchmarks/fixed_budget.py FOLDER RECIPE[:EPOCHS] ...

FOLDER holds the four files of Fashion-MNIST. Each recipe is trained, exported as int8 and proven as `cnnpipe run` does
it, for its own number of epochs or for the one behind the colon. Printed are the processor seconds, user and system, of
the training alone, so that recipes can be compared on a busy machine too. TensorFlow computes in one thread, which
never spends seconds on waiting for another.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import time
from pathlib import Path

import cnnpipe

EXPORT = "export=[{target: generic, quantization: int8, max_drop: 0.01}]"


class Stopwatch(cnnpipe.Listener):
    """Adds up the processor seconds of this process by stage."""

    def __init__(self):
        self.spent = {}
        self._stage, self._since = "", time.process_time()

    def stage(self, name):
        now = time.process_time()
        self.spent[self._stage] = self.spent.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = name, now


def row(folder, recipe, epochs):
    """Train one recipe and return what the table says of it."""
    classes = json.dumps(cnnpipe.load_recipe(recipe).recipe.task.classes)
    source = f"data.source={{type: idx, path: {folder}, classes: {classes}}}"
    overrides = [source, EXPORT, *([f"training.epochs={epochs}"] if epochs else [])]
    watch = Stopwatch()
    result = cnnpipe.run(recipe, overrides, listener=watch)
    trained = result.training
    history = list(csv.DictReader((trained.run / "history.csv").read_text().splitlines()))
    score = trained.scores.metrics[trained.metric.name]
    kept = float(history[trained.best_epoch - 1][f"validation_{trained.metric.name}"])
    (file,) = result.exported.exports
    low, high = score.interval
    return (
        f"{recipe:27} {trained.epochs:6} {watch.spent['training']:8.0f} {kept:11.4f}"
        f"  {score.value:.4f} ({low:.4f} to {high:.4f}) of {score.n:,}  {file.score.value:.4f} {file.bytes:8,}"
        f"{'' if result.passed else '  FAILED'}"
    )


def main():
    folder, *recipes = sys.argv[1:]
    print(f"{'recipe':27} epochs  seconds  validation  {'test (95 % interval)':37} {'int8':9}  bytes", flush=True)
    for asked in recipes:
        name, _, epochs = asked.partition(":")
        print(row(Path(folder).resolve(), name, epochs), flush=True)


if __name__ == "__main__":
    os.environ["TF_NUM_INTRAOP_THREADS"] = "1"
    main()
