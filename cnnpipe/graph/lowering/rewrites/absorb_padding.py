"""Padding before a convolution."""

from __future__ import annotations

from cnnpipe.graph.lowering.draft import Draft, Step


def absorb_padding(draft: Draft) -> None:
    """Let convolutions add zeros themselves that are exactly what they add with `same`; no zeros are no padding."""
    for step in draft.steps:
        if step.name != "PAD":
            continue
        for reader in draft.readers(step.writes):
            if _pads_alike(step, reader):
                reader.options["padding"] = "same"
                draft.rewire(reader, step.values[0])
        nobody = not draft.readers(step.writes) and step.writes not in draft.outputs
        if nobody or step.writes.shape == step.values[0].shape:
            draft.remove(step, step.values[0])


def _pads_alike(pad: Step, reader: Step) -> bool:
    if reader.name not in ("CONV_2D", "DEPTHWISE_CONV_2D") or reader.options["padding"] != "valid":
        return False
    size, options = pad.values[0].shape[1:-1], reader.options
    same = tuple(_same(n, k, s) for n, k, s in zip(size, options["kernel"], options["strides"], strict=True))
    return bool(same == tuple(pad.options["pairs"]))


def _same(n: int, kernel: int, stride: int) -> tuple[int, int]:
    total = max((-(-n // stride) - 1) * stride + kernel - n, 0)
    return total // 2, total - total // 2
