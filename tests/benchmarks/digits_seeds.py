"""Test accuracy of the digits recipe over five seeds: `python tests/benchmarks/digits_seeds.py`. Budget: mean 0.985."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

import cnnpipe

SEEDS = range(5)


def main() -> None:
    """Train once per seed, without exports, and print each score and the mean."""
    scores = []
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            result = cnnpipe.train("digits", [f"seed={seed}", "export=[]"], runs_folder=Path(folder))
        scores.append(result.scores.metrics[result.metric.name].value)
        print(f"seed {seed}: {scores[-1]:.4f}")
    print(f"mean {statistics.mean(scores):.4f}")


if __name__ == "__main__":
    main()
