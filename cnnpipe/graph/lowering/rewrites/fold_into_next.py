"""Factors and offsets before a convolution or a dense layer."""

from __future__ import annotations

from cnnpipe.graph.lowering.draft import Constant, Draft, Step, values_in

CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")


def fold_into_next(draft: Draft) -> None:
    """Fold a factor or an offset into the weights of the step that reads it.

    A dense layer takes one number or one per channel, an offset only if it has biases of its own; a convolution takes
    one number, and an offset only where no zeros are padded: they would not get it.
    """
    for step in reversed(draft.steps):
        constant = _constant(step)
        if constant is None or _follows_dense_without_biases(draft, step):
            continue
        for reader in draft.readers(step.writes):
            if _takes(reader, step, constant):
                draft.rewire(reader, step.values[0])
                reader.folds.append(step.layer)
                if reader.name == "FULLY_CONNECTED" and step.name != "MUL":
                    draft.add_bias(reader)
        if not draft.readers(step.writes) and step.writes not in draft.outputs:
            draft.remove(step, step.values[0])


def _constant(step: Step) -> Constant | None:
    last = step.reads[-1]
    return last if step.name in ("MUL", "ADD", "SUB") and isinstance(last, Constant) else None


def _follows_dense_without_biases(draft: Draft, step: Step) -> bool:
    """Return whether a dense layer that has room for an offset takes it itself."""
    maker = draft.maker(step.values[0])
    while maker is not None and _constant(maker):
        maker = draft.maker(maker.values[0])
    return maker is not None and maker.name == "FULLY_CONNECTED" and not maker.options["use_bias"]


def _takes(reader: Step, step: Step, constant: Constant) -> bool:
    one = values_in(constant.shape) == 1
    if reader.name == "FULLY_CONNECTED":
        fits = one or constant.shape == (step.writes.shape[-1],)
        return fits and (step.name == "MUL" or reader.options["use_bias"])
    return reader.name in CONVOLUTIONS and one and (step.name == "MUL" or reader.options["padding"] == "valid")
