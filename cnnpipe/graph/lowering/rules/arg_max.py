"""The position of the largest channel."""

from __future__ import annotations

from collections.abc import Sequence

from cnnpipe.graph.lowering.draft import Draft, Value, batched, lowers
from cnnpipe.graph.nodes.arg_max import ArgMax


@lowers(ArgMax)
def arg_max(node: ArgMax, draft: Draft, reads: Sequence[Value]) -> Value:
    """ARG_MAX, which takes the axis away, and RESHAPE, which brings it back."""
    (value,) = reads
    shape = batched(node.output_shape(value.shape[1:]))
    found = draft.emit("ARG_MAX", value, draft.integer(-1), shape=shape[:-1], dtype="int32")
    return draft.emit("RESHAPE", found, draft.integers(*shape), shape=shape, dtype="int32")
