"""How soon Bayesian optimization finds what random search finds: run by hand.

    python tests/benchmarks/search_speed.py FOLDER [TRIALS] [SEEDS]

FOLDER holds the four files of Fashion-MNIST. The space of `fashion_mnist_tuning` is searched for the score alone, on
the first 12,000 pictures, of which 3,000 are for validation: by random search, then by Bayesian optimization, whose
first five candidates are the same. Printed is each step upwards, after which processor seconds of trainings in one
thread; at the end, for each seed, what part of random search's time Bayesian optimization needed.
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


def steps(name, seed, overrides, trials):
    """Search; return the (seconds, score, trial) of each candidate that was better than all before, and all seconds."""
    study = Path("studies") / f"{name}_{seed}".replace(" ", "_")
    chosen = [f"tuning.algorithm={ALGORITHMS[name]}", "tuning.objectives=[score]", f"tuning.max_trials={trials}"]
    tune(SPACE, [*overrides, *chosen, f"seed={seed}"], study)
    found, spent = [], 0.0
    for number, (seconds, score) in enumerate(searches.trials(study), 1):
        spent += seconds
        if not found or score > found[-1][1]:
            found.append((spent, score, number))
    print(f"{name}, seed {seed}: {trials} trials in {spent:.0f} s")
    for at, score, number in found:
        print(f"  {score:.4f} after {at:5.0f} s, trial {number}", flush=True)
    return found, spent


def main():
    folder = Path(sys.argv[1]).resolve()
    trials, seeds = (int(text) for text in (*sys.argv[2:4], *("24", "3")[len(sys.argv) - 2 :]))
    told = []
    with TemporaryDirectory() as place:
        os.chdir(place)
        source, _ = searches.subset(folder, Path(place) / "subset", PICTURES)
        for seed in range(seeds):
            (random, whole), (bayesian, _) = (steps(name, seed, [source, SPLIT], trials) for name in ALGORITHMS)
            needed, best, _ = random[-1]
            sooner = next((at for at, score, _ in bayesian if score >= best), None)
            by_random = f"seed {seed}: random search had its best, {best:.4f}, after {needed:.0f} of its {whole:.0f} s"
            shares = "never did" if sooner is None else f"after {sooner:.0f} s, {sooner / needed:.2f} of {needed:.0f} s"
            told.append(f"{by_random}; Bayesian optimization {shares}")
    print("\n".join(told))


if __name__ == "__main__":
    os.environ["TF_NUM_INTRAOP_THREADS"] = "1"
    main()
