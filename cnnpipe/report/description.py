"""What `describe` prints: one table for a recipe, one comparing table for several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from cnnpipe.report.tables import byte_size, shape, short_number, table

Rows = Sequence[Mapping[str, Any]]


BACKBONE = "backbone."
"""Blocks that a backbone made, one per feature level or one for each of its own blocks, are called so."""


def layer_table(
    layers: Rows, dense_weights: Sequence[int | None], totals: Mapping[str, int], every: bool = False
) -> str:
    """Return the table of all layers with its totals.

    Args:
        layers: One row per layer, as `describe --json` gives them.
        dense_weights: What a fully connected layer in its place would have, None where that means nothing.
        totals: parameters, macs and activation_bytes of the whole network.
        every: Show all layers of a backbone, in the place of one row per block or feature level.
    """
    if not every:
        layers, dense_weights = _with_levels(layers, dense_weights)
    header = ("block", "layer", "line", "output", "parameters", "MACs", "sees", "memory", "if dense")
    rows = [
        (
            row["block"] or "-",
            row["type"],
            str(row["line"] or "-"),
            shape(row["output_shape"]),
            row["parameters"],
            row["macs"],
            _field(row["receptive_field"]),
            byte_size(row["activation_bytes"]),
            None if dense is None else short_number(dense),
        )
        for row, dense in zip(layers, dense_weights, strict=True)
    ]
    return f"{table(header, rows, left=('block', 'layer'))}\n\n{_sentence(totals)}"


def weights_line(weights: Mapping[str, str]) -> str:
    """Return what is known of the file of pretrained weights; may be empty."""
    return f"{weights['file']}, licence {weights['licence']}" if weights else ""


def _with_levels(layers: Rows, dense_weights: Sequence[int | None]) -> tuple[Rows, Sequence[int | None]]:
    """Return one row for all layers of a backbone's block or level: sums, what comes out, the largest memory."""
    rows: list[Mapping[str, Any]] = []
    dense: list[int | None] = []
    pairs = zip(layers, dense_weights, strict=True)
    for block, group in groupby(pairs, lambda pair: _outer(pair[0]["block"])):
        members = list(group)
        made = [row for row, _ in members]
        if block.startswith(BACKBONE) and len(made) > 1:
            sums = {key: sum(row[key] for row in made) for key in ("parameters", "macs")}
            memory = max(row["activation_bytes"] for row in made)
            whole = {"block": block, "type": f"{len(made)} layers", **sums, "activation_bytes": memory}
            rows.append({**made[-1], **whole})
            dense.append(None)
        else:
            rows += made
            dense += [weights for _, weights in members]
    return rows, dense


def _outer(block: str) -> str:
    """Return the block without those inside it where a backbone made it."""
    return ".".join(block.split(".")[:2]) if block.startswith(BACKBONE) else block


def _field(axes: Sequence[int] | None) -> str:
    return "all" if axes is None else shape(axes) or "-"


def _sentence(totals: Mapping[str, int]) -> str:
    parameters = totals["parameters"]
    return (
        f"{parameters:,} parameters ({byte_size(4 * parameters)} as float32, {byte_size(parameters)} as int8), "
        f"{totals['macs']:,} multiply-adds, {byte_size(totals['activation_bytes'])} of live activations at the peak"
    )
