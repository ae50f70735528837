"""The limits of an export in bytes, of the recipe and of the board: held against a prediction, or against the file."""

from __future__ import annotations

from collections.abc import Iterator

from cnnpipe.errors import Problem, Severity
from cnnpipe.program import Arena, Program
from cnnpipe.recipe.exports import WEIGHTS_OF_8_BITS, PlannedExport

MARGIN = 0.02
"""How far a predicted arena may be from what LiteRT Micro asks for, as a share."""
ARENA = "the tensor arena"
FILE = "the file"
SMALLER_ARENA = "Make the input smaller, or pool earlier and use fewer filters up to here."
SMALLER_FILE = "Use fewer weights."
SMALLER_WEIGHTS = "Use fewer weights, or quantization int8."

Limit = tuple[int, str, str]
"""Bytes, who says so (with {} in their place), and the key of the export's item at which it stands."""


def predicted_excess(
    export: PlannedExport, program: Program, arena: Arena, file_bytes: int
) -> Iterator[tuple[Problem, int | None]]:
    """Yield the limits that a predicted program exceeds, each with the operator to blame, if it is one.

    It is a warning when the prediction is too near to the limit to be sure.
    """
    for limit in _arena_limits(export):
        if arena.total > limit[0]:
            sure, operator = arena.total * (1 - MARGIN) > limit[0], program.operators[arena.peak]
            said = _excess(export, ARENA, arena.total, limit, "would take" if sure else "may take")
            message = f"{said}; it is largest at the {operator.name} of {operator.layer}"
            yield Problem(message, hint=SMALLER_ARENA, severity=_severity(sure)), arena.peak
    for limit in _file_limits(export):
        if file_bytes > limit[0]:
            sure = program.constant_bytes > limit[0]
            message = _excess(export, FILE, file_bytes, limit, "would have about" if sure else "may have about")
            hint = SMALLER_FILE if export.quantization in WEIGHTS_OF_8_BITS else SMALLER_WEIGHTS
            yield Problem(message, None, f"{export.path}.{limit[2]}", hint, _severity(sure)), None


def _severity(sure: bool) -> Severity:
    return "error" if sure else "warning"


def measured_excess(export: PlannedExport, arena_bytes: int | None, file_bytes: int) -> Iterator[Problem]:
    """Yield the limits that a written file exceeds, each at the key that states it.

    Args:
        export: The export.
        arena_bytes: What its arena takes; None when it has none.
        file_bytes: Size of the file.
    """
    found = [(FILE, file_bytes, "has", limit) for limit in _file_limits(export)]
    if arena_bytes is not None:
        found += [(ARENA, arena_bytes, "takes", limit) for limit in _arena_limits(export)]
    for what, size, verb, limit in found:
        if size > limit[0]:
            yield Problem(_excess(export, what, size, limit, verb), path=f"{export.path}.{limit[2]}")


def _excess(export: PlannedExport, what: str, size: int, limit: Limit, verb: str) -> str:
    return f"'{export.name}': {what} {verb} {size:,} bytes, and {limit[1].format(f'{limit[0]:,}')}"


def _arena_limits(export: PlannedExport) -> Iterator[Limit]:
    if memory := export.device.memory():
        yield memory.ram, "the board has {}", "target"
    if export.max_arena is not None:
        yield export.max_arena, "max_arena allows {}", "max_arena"


def _file_limits(export: PlannedExport) -> Iterator[Limit]:
    if memory := export.device.memory():
        yield memory.flash, "the board has {} for program and model", "target"
    if export.max_bytes is not None:
        yield export.max_bytes, "max_bytes allows {}", "max_bytes"


def smallest_limits(export: PlannedExport) -> tuple[int | None, int | None]:
    """Return how many bytes arena and file may have; None where nothing limits them."""
    arena, file = [limit[0] for limit in _arena_limits(export)], [limit[0] for limit in _file_limits(export)]
    return min(arena, default=None), min(file, default=None)
