"""The input."""

from __future__ import annotations

from collections.abc import Sequence

from cnnpipe.graph.lowering.draft import Draft, Value, batched, lowers
from cnnpipe.graph.nodes.input import Input


@lowers(Input)
def program_input(node: Input, draft: Draft, reads: Sequence[Value]) -> Value:
    """No operator: a tensor."""
    return draft.value(batched(node.shape))
