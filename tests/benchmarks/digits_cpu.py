"""CPU seconds of the digits recipe against the plain Keras script that does the same: run by hand, quietly.

    python tests/benchmarks/digits_cpu.py [ROUNDS]

Whole processes in turns, imports included; user and system time with that of their children; the least of each counts.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

SCRIPT = Path(__file__).with_name("plain_digits.py")
COMMANDS = {
    "plain script: train, evaluate": [SCRIPT],
    "cnnpipe train digits, no exports asked": ["-m", "cnnpipe", "train", "digits", "--set", "export=[]"],
    "cnnpipe train digits (dry export)": ["-m", "cnnpipe", "train", "digits"],
    "cnnpipe run digits (export and proof)": ["-m", "cnnpipe", "run", "digits"],
}


def seconds(arguments):
    before = os.times()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    measured = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, arguments in COMMANDS.items():
            measured[name].append(seconds(arguments))
    least = {name: min(values) for name, values in measured.items()}
    plain = next(iter(least.values()))
    for name, value in least.items():
        print(f"{name:40} {value:6.1f} CPU seconds, {value / plain:.2f} of the plain script", flush=True)


if __name__ == "__main__":
    main()
