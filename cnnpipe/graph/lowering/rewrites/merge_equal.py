"""Equal operators on equal inputs."""

from __future__ import annotations

from cnnpipe.graph.lowering.draft import Draft, Value


def merge_equal(draft: Draft) -> None:
    """Merge steps that compute the same from the same into the first of them, as NASNet has many."""
    known: dict[object, Value] = {}
    for step in list(draft.steps):
        options = tuple(sorted(step.options.items()))
        first = known.setdefault((step.name, tuple(step.reads), step.writes.shape, options), step.writes)
        if first != step.writes:
            draft.remove(step, first)
