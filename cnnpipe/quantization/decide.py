"""How the file of an export is made: as it is asked for, after training with the rounding in it, or by the ladder."""

from __future__ import annotations

from dataclasses import replace

from cnnpipe.bundle.attempt import Attempt, Bench, Decide, attempt
from cnnpipe.quantization.ladder import Learn, climb
from cnnpipe.recipe.exports import PlannedExport


def decider(learn: Learn | None = None) -> Decide:
    """Return the function that makes each file of a run.

    Args:
        learn: Quantization-aware training of the run's network.
    """

    def decide(export: PlannedExport, bench: Bench) -> Attempt:
        if export.ladder:
            return climb(export, bench, learn)
        if export.asked.quantization_aware is not None and learn:
            return attempt(export, replace(bench, subject=learn(export, bench)))
        return attempt(export, bench)

    return decide
