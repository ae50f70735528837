"""Dense layers."""

from __future__ import annotations

from collections.abc import Sequence

from cnnpipe.graph.lowering.draft import Draft, Value, batched, lowers
from cnnpipe.graph.nodes.dense import Dense


@lowers(Dense)
def dense(node: Dense, draft: Draft, reads: Sequence[Value]) -> Value:
    """FULLY_CONNECTED, on maps too, and ADD for the biases, which may go into it or into what follows."""
    (value,) = reads
    shape = value.shape[1:]
    weights = draft.weights((node.units, shape[-1]), node.units)
    out = batched(node.output_shape(shape))
    macs, use_bias = node.macs(shape), node.use_bias
    product = draft.emit("FULLY_CONNECTED", value, weights, None, shape=out, macs=macs, use_bias=use_bias)
    return draft.emit("ADD", product, draft.numbers((node.units,), draft.node.name)) if node.use_bias else product
