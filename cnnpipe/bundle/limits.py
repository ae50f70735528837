"""What a written file breaks of what its device can run, and of the limits that recipe and board set."""

from __future__ import annotations

from collections.abc import Iterator

from cnnpipe.bundle.runtime import Runnable
from cnnpipe.errors import Problem
from cnnpipe.litert_file import read_program
from cnnpipe.recipe.exports import PlannedExport
from cnnpipe.recipe.limits import measured_excess

READABLE = ".tflite"
"""Ending of the files whose operators can be read."""


def exceeded(export: PlannedExport, runnable: Runnable) -> Iterator[Problem]:
    """Yield the limits that a written file exceeds, and what the device cannot run of it, at the recipe's keys."""
    arena = runnable.memory.arena if runnable.memory else None
    yield from measured_excess(export, arena, runnable.facts.bytes)
    for message in unrunnable(export, runnable):
        yield Problem(f"the file {export.name}: {message}", path=export.path)


def unrunnable(export: PlannedExport, runnable: Runnable) -> Iterator[str]:
    """Yield why the device cannot run a written file, operator by operator, each reason once."""
    islands = runnable.facts.float_operators
    if islands and export.device.builtins_only:
        yield f"these operators compute in float, and the target computes in integers only: {', '.join(islands)}"
    if runnable.file.suffix != READABLE:
        return
    program = read_program(runnable.file.read_bytes(), runnable.file.name)
    misfits = export.device.misfits(program, export.quantization)
    yield from dict.fromkeys(misfit.message for misfit in misfits if misfit.severity == "error")
