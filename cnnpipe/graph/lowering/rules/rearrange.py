"""Other shapes of the same values, and nodes that do nothing when a network is used."""

from __future__ import annotations

from collections.abc import Sequence

from cnnpipe.graph.core import NodeType
from cnnpipe.graph.lowering.draft import Draft, Value, batched, lowers
from cnnpipe.graph.nodes.dropout import Dropout, StochasticDepth
from cnnpipe.graph.nodes.rearrange import Flatten, Reshape


@lowers(Dropout, StochasticDepth)
def nothing(node: NodeType, draft: Draft, reads: Sequence[Value]) -> Value:
    """No operator."""
    return reads[0]


@lowers(Flatten, Reshape)
def reshape(node: Flatten | Reshape, draft: Draft, reads: Sequence[Value]) -> Value:
    """RESHAPE."""
    shape = batched(node.output_shape(reads[0].shape[1:]))
    return draft.emit("RESHAPE", reads[0], draft.integers(*shape), shape=shape)
