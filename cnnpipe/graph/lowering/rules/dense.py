"""Dense layers."""

from __future__ import annotations

from collections.abc import Sequence

from cnnpipe.graph.lowering.draft import Draft, Value, batched, lowers
from cnnpipe.graph.nodes.dense import Dense


@lowers(Dense)
def dense(node: Dense, draft: Draft, reads: Sequence[Value]) -> Value:
    """FULLY_CONNECTED."""
    (value,) = reads
    if len(value.shape) != 2:
        raise draft.not_predicted("a dense layer on a map")
    shape = value.shape[1:]
    weights, bias = draft.weights((node.units, shape[-1]), node.units), draft.bias(node.units)
    out = batched(node.output_shape(shape))
    return draft.emit("FULLY_CONNECTED", value, weights, bias, shape=out, macs=node.macs(shape))
