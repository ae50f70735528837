"""Factors and offsets after a convolution or a dense layer."""

from __future__ import annotations

from cnnpipe.graph.lowering.draft import BIAS_INPUT, Constant, Draft, Step, Value, values_in


def fold_into_previous(draft: Draft) -> None:
    """Fold a factor or an offset into the weights of the step that alone it reads, also through a reshape."""
    for step in draft.steps:
        if step.name in ("MUL", "ADD", "SUB") and _is_of_channels(step.reads[-1]):
            maker = _weighted(draft, step)
            if maker is not None:
                if step.name != "MUL":
                    draft.add_bias(maker)
                draft.remove(step, step.values[0], maker)


def _is_of_channels(read: Value | Constant | None) -> bool:
    """Return whether a step reads one number, or one for each channel, and not one for each position."""
    return isinstance(read, Constant) and values_in(read.shape) == values_in(read.shape[-1:])


def _weighted(draft: Draft, step: Step) -> Step | None:
    maker = draft.alone(step)
    if maker is not None and maker.name == "RESHAPE" and maker.values[0].shape[-1] == maker.writes.shape[-1]:
        maker = draft.alone(maker)
    return maker if maker is not None and maker.name in BIAS_INPUT else None
