"""What `describe --target` prints: the predicted operators, and what they take on the device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cnnpipe.durations import magnitude
from cnnpipe.report.tables import shape, table

Figures = Mapping[str, Any]


def forecast_text(found: Figures, title: str) -> str:
    """Return table and sentences for one export.

    Args:
        found: As `TargetForecast.as_json` gives it.
        title: What the target is.
    """
    if not found["predicted"]:
        return f"{found['name']} ({title})\n\noperators and memory are not predicted: {found['reason']}"
    parts = [f"{found['name']} ({title}), predicted", operator_table(found["operators"]), "\n".join(_sentences(found))]
    return "\n\n".join(parts)


def operator_table(operators: Sequence[Figures]) -> str:
    """Return one row per operator."""
    header = ["block", "operator", "layer", "line", "output", "MACs", "bytes alive"]
    accelerator = any(row["accelerated"] is not None for row in operators)
    rows = [
        [
            row["block"] or "-",
            row["name"],
            row["layer"],
            str(row["line"] or "-"),
            f"{shape(row['output_shape'])} {row['output_type']}",
            row["macs"],
            row["bytes_alive"],
            *([("yes" if row["accelerated"] else "no")] if accelerator else []),
        ]
        for row in operators
    ]
    return table([*header, *(["accelerated"] if accelerator else [])], rows, left=("block", "operator", "layer"))


def _sentences(found: Figures) -> Iterator[str]:
    arena, peak, memory, seconds = (found[key] for key in ("arena", "peak", "memory", "latency_seconds"))
    ram, flash = (f" of {memory['ram']:,}", f" of {memory['flash']:,}") if memory else ("", "")
    yield f"file     about {found['file_bytes']:,}{flash} bytes, {found['weight_bytes']:,} of them weights"
    if arena:
        yield f"arena    {arena['total']:,}{ram} bytes: {arena['head']:,} for tensors, about {arena['tail']:,} for good"
    where = f" in block {peak['block']}" if peak["block"] else ""
    line = f" (line {peak['line']})" if peak["line"] else ""
    yield f"peak     {peak['bytes_alive']:,} bytes of tensors at the {peak['operator']} of {peak['layer']}{where}{line}"
    if share := found["accelerated"]:
        operators = f"{share['operators']} of {len(found['operators'])} operators"
        yield f"share    the accelerator runs {operators}, {share['macs_share']:.0%} of the multiply-adds"
    if seconds:
        low, high = map(magnitude, seconds)
        yield f"latency  {low} to {high} for an example: an order of magnitude from {found['macs']:,} multiply-adds"
