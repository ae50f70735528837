"""Runs `tune` with trials that only calculate: `... RECIPE STUDY LOG SECONDS [OPTION ...] [CHANGE ...]`.

Each trial that begins or ends is a line of LOG; SECONDS is how long a trial takes. Prints the result as JSON. Options:
`--workers=2`, `--listen=HOST:PORT`, `--join=HOST:PORT`, and `--patience=SECONDS` in the place of each longer wait for
one that is silent or gone.
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

from cnnpipe.errors import ProblemError
from cnnpipe.jobs import working
from cnnpipe.jobs.searching import TuneListener
from cnnpipe.jobs.tune import tune
from cnnpipe.jobs.tune_worker import tune_worker
from cnnpipe.tuning import chief, client
from cnnpipe.tuning.search import Order, Outcome, Tell

RECIPE, STUDY, LOG, SECONDS = *map(Path, sys.argv[1:4]), float(sys.argv[4])
OPTIONS = dict(argument[2:].split("=") for argument in sys.argv[5:] if argument.startswith("--"))
CHANGES = [argument for argument in sys.argv[5:] if not argument.startswith("--")]
SLICE = 0.05


class Notes(TuneListener):
    """Prints what is told."""

    def note(self, text: str) -> None:
        """Print it on standard error."""
        print(f"note: {text}", file=sys.stderr, flush=True)


def score(values: dict[str, Any]) -> float:
    """Return a score with its best at 16 filters and a learning rate of 0.003."""
    rate = math.log10(values.get("training.optimizer.learning_rate", 0.003)) - math.log10(0.003)
    filters = math.log2(values.get("model.blocks.stem.filters", 8) / 16)
    return 1 - 0.1 * rate**2 - 0.01 * filters**2 + 0.001 * len(values)


class Trainer:
    """Stands in for trainings."""

    def __init__(self, trials: Path, space: Any, *rest: Any) -> None:
        self.space, self.closed = space, False

    def close(self) -> None:
        """End the trial."""
        self.closed = True

    def __call__(self, order: Order, tell: Tell) -> Outcome | None:
        log(f"begin {order.number}")
        left = math.inf if order.seconds_left is None else order.seconds_left
        end = time.monotonic() + min(left, SECONDS)
        while time.monotonic() < end and not self.closed and tell(1, 5, {"validation_accuracy": 0.5}):
            time.sleep(min(SLICE, SECONDS))
        if left < SECONDS:
            return None
        log(f"end {order.number}")
        values = self.space.settings(order.codes)
        if values.get("training.batch_size") == 13:
            return Outcome("bad luck", {"seconds": 0.0})
        epochs = order.codes.get("tuner/epochs", 5)
        measured = {"score": score(values) - 1 / (1 + epochs), "epochs": epochs, "examples": 100, "seconds": 0.0}
        return Outcome("", measured, OPTIONS.get("data", "data"))


def log(line: str) -> None:
    """Append a line to the log."""
    with LOG.open("a") as file:
        file.write(f"{line}\n")


working.Trainer = Trainer  # type: ignore[misc, assignment]
if "patience" in OPTIONS:
    chief.SILENT_SECONDS = client.CONNECT_SECONDS = client.GONE_SECONDS = float(OPTIONS["patience"])
workers = int(OPTIONS.get("workers", 1))
try:
    if "join" in OPTIONS:
        done = tune_worker(RECIPE, OPTIONS["join"], CHANGES, listener=Notes(), workers=workers)
        result = {"trials": done}
    else:
        result = tune(RECIPE, CHANGES, STUDY, listener=Notes(), workers=workers, listen=OPTIONS.get("listen")).as_json()
except ProblemError as error:
    print(error)
    sys.exit(error.exit_code)
print(json.dumps(result))
