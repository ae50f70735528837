"""Reshapes that nothing needs."""

from __future__ import annotations

from cnnpipe.graph.lowering.draft import Draft, values_in


def drop_reshapes(draft: Draft) -> None:
    """Take away reshapes of a vector before FULLY_CONNECTED, and those after MEAN, which can keep its axes itself."""
    for step in list(draft.steps):
        if step.name != "RESHAPE":
            continue
        maker = draft.alone(step)
        readers = draft.readers(step.writes)
        before = step.values[0].shape
        if maker and maker.name == "MEAN":
            shape = step.writes.shape
            draft.remove(step, maker.writes)
            draft.reshape(maker, shape)
        elif _is_vector(before) and readers and all(reader.name == "FULLY_CONNECTED" for reader in readers):
            draft.remove(step, step.values[0])


def _is_vector(shape: tuple[int, ...]) -> bool:
    return values_in(shape[:-1]) == 1
