"""Runs `tune` with trials that only calculate: `python search_by_arithmetic.py RECIPE STUDY LOG SECONDS [--set ...]`.

Each trial that begins or ends is a line of LOG; SECONDS is how long a trial takes. Prints the result as JSON.
"""

from __future__ import annotations

import json
import math
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import light_keras_tuner  # noqa: F401

import cnnpipe.jobs.tune as job
from cnnpipe.errors import ProblemError
from cnnpipe.jobs import working
from cnnpipe.tuning.search import Order, Outcome, Tell

RECIPE, STUDY, LOG, SECONDS = *map(Path, sys.argv[1:4]), float(sys.argv[4])


def score(values: dict[str, Any]) -> float:
    """Return a score with its best at 16 filters and a learning rate of 0.003."""
    rate = math.log10(values.get("training.optimizer.learning_rate", 0.003)) - math.log10(0.003)
    filters = math.log2(values.get("model.blocks.stem.filters", 8) / 16)
    return 1 - 0.1 * rate**2 - 0.01 * filters**2 + 0.001 * len(values)


class Trainer:
    """Stands in for trainings."""

    def __init__(self, trials: Path, space: Any, *rest: Any) -> None:
        self.space = space

    def close(self) -> None:
        """Do nothing."""

    def __call__(self, order: Order, tell: Tell) -> Outcome | None:
        number, codes = order.number, order.codes
        with LOG.open("a") as log:
            log.write(f"begin {number}\n")
        time.sleep(SECONDS)
        with LOG.open("a") as log:
            log.write(f"end {number}\n")
        values = self.space.settings(codes)
        if values.get("training.batch_size") == 13:
            return Outcome("bad luck", {"seconds": 0.0})
        epochs = codes.get("tuner/epochs", 5)
        measured = {"score": score(values) - 1 / (1 + epochs), "epochs": epochs, "examples": 100, "seconds": 0.0}
        return Outcome("", measured, "data")


working.Trainer = Trainer  # type: ignore[misc, assignment]
try:
    result = job.tune(RECIPE, sys.argv[5:], STUDY)
except ProblemError as error:
    print(error)
    sys.exit(error.exit_code)
print(json.dumps(result.as_json()))
