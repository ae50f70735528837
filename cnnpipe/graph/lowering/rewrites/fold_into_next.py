"""Factors and offsets before a convolution or a dense layer."""

from __future__ import annotations

from cnnpipe.graph.lowering.draft import Constant, Draft, Step, values_in

CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")


def fold_into_next(draft: Draft) -> None:
    """Fold a factor or an offset into the weights of the step that reads it.

    A dense layer takes one number or one per channel; a convolution one number, and an offset only where no zeros are
    padded: they would not get it.
    """
    for step in reversed(draft.steps):
        if step.name in ("MUL", "ADD", "SUB") and isinstance(step.reads[-1], Constant):
            for reader in draft.readers(step.writes):
                if _takes(reader, step, step.reads[-1]):
                    draft.rewire(reader, step.values[0])
                    reader.folds.append(step.layer)
                    if reader.name == "FULLY_CONNECTED" and step.name != "MUL":
                        draft.add_bias(reader)
            if not draft.readers(step.writes) and step.writes not in draft.outputs:
                draft.remove(step, step.values[0])


def _takes(reader: Step, step: Step, constant: Constant) -> bool:
    one = values_in(constant.shape) == 1
    if reader.name == "FULLY_CONNECTED":
        return one or constant.shape == (step.writes.shape[-1],)
    return reader.name in CONVOLUTIONS and one and (step.name == "MUL" or reader.options["padding"] == "valid")
