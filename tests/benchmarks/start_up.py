"""Wall seconds of the light commands: `python tests/benchmarks/start_up.py`. Budgets: --help 0.2 s, check 0.4 s."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from cnnpipe.recipe.load import shipped_recipes

REPEATS = 7


def seconds(*arguments: str) -> float:
    """Return the median time of one command."""
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "cnnpipe", *arguments], check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def main() -> None:
    """Print the time of each command, and its ratio to the budget."""
    commands = [(("--help",), 0.2), *((("check", name), 0.4) for name in sorted(shipped_recipes()))]
    for arguments, budget in commands:
        found = seconds(*arguments)
        print(f"{' '.join(arguments):<30} {found:.2f} s   {found / budget:.2f} of the budget")


if __name__ == "__main__":
    main()
