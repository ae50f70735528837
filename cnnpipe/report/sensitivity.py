"""Which layers int8 hurts, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cnnpipe.quantization.sensitivity import ROUNDING, SUSPECT_NOISE, SUSPECT_STEPS, Sensitivity
from cnnpipe.report.tables import table


def sensitivity_table(operators: Sequence[Sensitivity], shown: int | None) -> Iterator[str]:
    """Yield the table of the worst operators, and what its numbers mean.

    Args:
        operators: All of them, the worst first.
        shown: How many to show; None for all.
    """
    header = ("block", "layer", "operator", "steps", "noise", "", "recipe")
    rows = [_row(one) for one in operators[:shown]]
    yield table(header, rows, left=("block", "layer", "operator", "", "recipe"))
    if shown is not None and len(operators) > shown:
        yield f"and {len(operators) - shown} more"
    suspects = sum(one.suspect for one in operators)
    yield ""
    yield (
        f"{suspects} of {len(operators)} operators lose more in int8 than rounding explains: steps from "
        f"{SUSPECT_STEPS:g} (rounding alone is {ROUNDING:.3f}), or noise from {SUSPECT_NOISE:.0%}"
    )


def _row(one: Sensitivity) -> tuple[str | float, ...]:
    place = str(one.place) if one.place else one.path
    layer, hurt = one.layers[0] if one.layers else "-", "hurt" if one.suspect else ""
    steps, noise = f"{one.error.steps:.2f}", f"{one.error.noise:.1%}"
    return one.block or "-", layer, one.error.operator, steps, noise, hurt, place
