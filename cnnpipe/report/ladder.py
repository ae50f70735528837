"""What a ladder tried, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cnnpipe.manifest import Rung
from cnnpipe.report.tables import byte_size, table


def ladder_table(rungs: Sequence[Rung], metric: str) -> Iterator[str]:
    """Yield the table of all rungs, then why some were not run or failed.

    Args:
        rungs: All that was tried, in this order.
        metric: Name of the headline metric.
    """
    header = ("rung", "size", f"validation {metric}", "drop", "lost", "won", "latency here", "result")
    yield table(header, [_row(rung) for rung in rungs], left=("rung", "result"))
    yield from (f"{rung.rung}: {rung.reason}" for rung in rungs if rung.reason)


def _row(rung: Rung) -> tuple[str | int | float | None, ...]:
    size = None if rung.bytes is None else byte_size(rung.bytes)
    latency = None if rung.latency_ms is None else f"{rung.latency_ms:.3g} ms"
    result = "loses too much" if rung.state == "failed" and not rung.reason else rung.state
    return rung.rung, size, rung.score, rung.drop, rung.lost, rung.won, latency, result
