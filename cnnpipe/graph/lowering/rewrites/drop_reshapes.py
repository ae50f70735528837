"""Reshapes that nothing needs."""

from __future__ import annotations

from cnnpipe.graph.lowering.draft import Draft, Step, values_in

REDUCTIONS = ("MEAN", "REDUCE_MAX")
"""Operators that can keep the axes that they reduce, with size 1."""
REPEATING = ("ADD", "SUB", "MUL", "DIV")
"""Operators that repeat the smaller input along the axes that it lacks."""


def drop_reshapes(draft: Draft) -> None:
    """Take away reshapes of reshapes, to the same shape, and those that readers or makers can do without."""
    for step in draft.steps:
        if step.name != "RESHAPE":
            continue
        maker = draft.maker(step.values[0])
        if maker is not None and maker.name == "RESHAPE":
            draft.rewire(step, maker.values[0])
            if not draft.readers(maker.writes):
                draft.remove(maker, maker.values[0])
        for reader in draft.readers(step.writes):
            if _is_repeated_alike(step, reader):
                draft.exchange(reader, step.writes, step.values[0])
        unread = not draft.readers(step.writes) and step.writes not in draft.outputs
        if unread or step.values[0].shape == step.writes.shape or _is_read_as_a_vector(draft, step):
            draft.remove(step, step.values[0])
        elif (reduction := draft.alone(step)) is not None and reduction.name in REDUCTIONS:
            shape = step.writes.shape
            draft.remove(step, reduction.writes)
            draft.reshape(reduction, shape)


def _is_read_as_a_vector(draft: Draft, step: Step) -> bool:
    readers = draft.readers(step.writes)
    alone = values_in(step.values[0].shape[:-1]) == 1 and len(step.writes.shape) == 2
    return alone and bool(readers) and all(reader.name == "FULLY_CONNECTED" for reader in readers)


def _is_repeated_alike(step: Step, reader: Step) -> bool:
    """Return whether all that a reshape does for a reader is to add axes of size 1 that repeating adds anyway."""
    if reader.name not in REPEATING or len(reader.values) != 2 or len(step.writes.shape) != len(reader.writes.shape):
        return False
    before, after = step.values[0].shape, step.writes.shape
    return len(before) < len(after) and after == (1,) * (len(after) - len(before)) + before
