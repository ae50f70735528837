"""Trains in a process of its own, and kills it at a chosen moment: `FOLDER start|resume [MOMENT NUMBER]`.

Moments: `step` (that many steps are done), `write` (before that checkpoint's temporary file becomes the checkpoint),
`history` (after that epoch's row was written, before its checkpoint), `interrupt` (Ctrl-C at that step).
"""

import hashlib
import os
import signal
import sys
from pathlib import Path

from cnnpipe import files
from cnnpipe.errors import ProblemError
from cnnpipe.events import Listener
from cnnpipe.jobs import train as job
from cnnpipe.training import keeper, pace

folder, begin = Path(sys.argv[1]), sys.argv[2]
moment, number = (sys.argv[3], int(sys.argv[4])) if len(sys.argv) > 3 else ("never", 0)
counts = {"history": 0, "write": 0}


def die():
    os.kill(os.getpid(), signal.SIGKILL)


class Executioner(Listener):
    def progress(self, done, total, values):
        if "loss" in values and done == number and moment == "step":
            die()
        if "loss" in values and done == number and moment == "interrupt":
            os.kill(os.getpid(), signal.SIGINT)


def after_history(run, row, append=keeper.history.append_row):
    append(run, row)
    if moment == "history" and row["epoch"] == number:
        die()


def before_replace(source, target, replace=os.replace):
    counts["write"] += str(target).endswith("state.npz")
    if moment == "write" and counts["write"] == number:
        die()
    replace(source, target)


keeper.history.append_row = after_history
files.os.replace = before_replace
pace.MOST_STEPS = 4
keeper.LEAST_SECONDS = -1  # a checkpoint after every epoch
try:
    if begin == "start":
        result = job.train(folder / "small.yaml", (), folder / "runs", Executioner())
    else:
        result = job.resume("small", folder / "runs", Executioner())
except ProblemError as error:
    print(error)
    sys.exit(error.exit_code)

from cnnpipe.safe_model import load_keras  # noqa: E402

weights = load_keras(result.run / "model.keras").get_weights()
print("weights", hashlib.sha256(b"".join(array.tobytes() for array in weights)).hexdigest())
