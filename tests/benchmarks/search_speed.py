"""How soon Bayesian optimization finds what random search finds: run by hand.

    python tests/benchmarks/search_speed.py FOLDER [TRIALS]

FOLDER holds the four files of Fashion-MNIST. The space of `fashion_mnist_tuning` is searched for the score alone, on
the first 12,000 pictures, of which 3,000 are for validation: by random search, then by Bayesian optimization, whose
first five candidates are the same. Printed is each step upwards, after which processor seconds of trainings in one
thread.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import searches

from cnnpipe.jobs.tune import tune

SPACE, PICTURES, SPLIT = "fashion_mnist_tuning", 12000, "data.split={validation: 0.25}"
ALGORITHMS = {"random search": "random", "bayesian": "{type: bayesian, num_initial_points: 5}"}


def steps(name, overrides, trials):
    """Search; return the (seconds, score, trial) of each candidate that was better than all before, and all seconds."""
    study = Path("studies") / name.replace(" ", "_")
    chosen = [f"tuning.algorithm={ALGORITHMS[name]}", "tuning.objectives=[score]", f"tuning.max_trials={trials}"]
    tune(SPACE, [*overrides, *chosen], study)
    found, spent = [], 0.0
    for number, (seconds, score) in enumerate(searches.trials(study), 1):
        spent += seconds
        if not found or score > found[-1][1]:
            found.append((spent, score, number))
    print(f"{name}: {trials} trials in {spent:.0f} s")
    for at, score, number in found:
        print(f"  {score:.4f} after {at:5.0f} s, trial {number}", flush=True)
    return found, spent


def main():
    folder, trials = Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 24
    with TemporaryDirectory() as place:
        os.chdir(place)
        source, _ = searches.subset(folder, Path(place) / "subset", PICTURES)
        (random, whole), (bayesian, _) = (steps(name, [source, SPLIT], trials) for name in ALGORITHMS)
    needed, best, _ = random[-1]
    sooner = next((at for at, score, _ in bayesian if score >= best), None)
    said = "never did" if sooner is None else f"did in {sooner:.0f} s"
    print(f"random search reached its best, {best:.4f}, in {needed:.0f} of {whole:.0f} s; Bayesian optimization {said}")


if __name__ == "__main__":
    os.environ["TF_NUM_INTRAOP_THREADS"] = "1"
    main()
