"""Trains in processes that are killed at chosen moments. TensorFlow is imported once: each training is a fork.

Reads jobs as lines of JSON: `folder`, `resume`, `overrides` and what ends it, `moment` and `number`, or `delay`; or
`folder` and the arguments of a `command`. Answers each with a line: the exit code and what was printed.

Moments: `step` (that many steps are done), `part` (in the middle of the writing of that checkpoint's temporary file),
`replace` (before that temporary file becomes the checkpoint), `history` (after that epoch's row was written, before its
checkpoint), `interrupt` (Ctrl-C at that step). With a `delay` the parent kills, so many seconds after the first step.
"""

import hashlib
import json
import os
import select
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

import keras  # noqa: F401  (before the fork)
import sklearn.datasets  # noqa: F401

from cnnpipe import files
from cnnpipe.cli import main
from cnnpipe.errors import ProblemError
from cnnpipe.events import Listener
from cnnpipe.jobs import train as jobs
from cnnpipe.runs import open_run
from cnnpipe.safe_model import load_keras
from cnnpipe.training import checkpoints, keeper, pace

PARENT_WAITS = 120


def die():
    os.kill(os.getpid(), signal.SIGKILL)


class Executioner(Listener):
    def __init__(self, moment, number, first_step):
        self.moment, self.number, self.first_step = moment, number, first_step

    def progress(self, done, total, values):
        if "loss" not in values:
            return
        os.write(self.first_step, b".")
        if done == self.number and self.moment == "step":
            die()
        if done == self.number and self.moment == "interrupt":
            os.kill(os.getpid(), signal.SIGINT)


def arm(moment, number):
    """Let the process die inside of what happens between steps."""
    counts = {"part": 0, "replace": 0}

    def counted(name):
        counts[name] += 1
        return moment == name and counts[name] == number

    def after_history(run, row, append=keeper.history.append_row):
        append(run, row)
        if moment == "history" and row["epoch"] == number:
            die()

    def in_the_middle(stream, savez=checkpoints.np.savez, **arrays):
        if "progress" in arrays and counted("part"):
            savez(stream, **arrays)
            stream.truncate(stream.tell() // 2)
            die()
        savez(stream, **arrays)

    def before_replace(source, target, replace=os.replace):
        if str(target).endswith("state.npz") and counted("replace"):
            die()
        replace(source, target)

    keeper.history.append_row = after_history
    checkpoints.np.savez = in_the_middle
    files.os.replace = before_replace
    pace.MOST_STEPS = 4
    keeper.LEAST_SECONDS = -1  # a checkpoint after every epoch


def train(job, first_step):
    folder, moment, number = Path(job["folder"]), job.get("moment", "never"), job.get("number", 0)
    arm(moment, number)
    if "command" in job:
        os.chdir(folder)
        sys.argv = ["cnnpipe", *job["command"]]
        main()
    listener, runs = Executioner(moment, number, first_step), folder / "runs"
    try:
        if job["resume"]:
            jobs.resume("small", runs, listener)
        else:
            jobs.train(folder / "small.yaml", job.get("overrides", ()), runs, listener)
    except ProblemError as error:
        print(error)
        if "is trained; there is nothing to go on with" not in str(error):
            return error.exit_code
    weights = load_keras(open_run("small", runs).folder / "model.keras").get_weights()
    print("weights", hashlib.sha256(b"".join(array.tobytes() for array in weights)).hexdigest())
    return 0


def fork(job):
    """Return the exit code of a training in a process of its own, what it printed, and the seconds of its steps."""
    with tempfile.TemporaryFile("w+") as printed:
        heard, first_step = os.pipe()
        child = os.fork()
        if child == 0:
            os.dup2(printed.fileno(), 1)
            os.dup2(printed.fileno(), 2)
            code = 1
            try:
                code = train(job, first_step)
            except SystemExit as end:
                code = end.code
            except BaseException:
                traceback.print_exc()
            sys.stdout.flush()
            os._exit(code)
        os.close(first_step)
        select.select([heard], [], [], PARENT_WAITS)
        begun = time.monotonic()
        if "delay" in job:
            time.sleep(job["delay"])
            os.kill(child, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.close(heard)
        printed.seek(0)
        return {"code": code, "printed": printed.read(), "seconds": time.monotonic() - begun}


for line in sys.stdin:
    print(json.dumps(fork(json.loads(line))), flush=True)
