"""The size of a file, predicted."""

from __future__ import annotations

from cnnpipe.program import Operator, Program

WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV")
"""Operators of which weights, biases and output carry the names of all that was folded."""
FILE, ACTIVATION, CONSTANT, OPERATOR, WEIGHTED_OPERATOR = 378, 270, 121, -108, 188
"""Bytes of the file itself, and of what describes a tensor that is computed, one that is stored, and an operator.

Least squares over 480 files of the converter (an operator makes a tensor, whose bytes hold the operator's).
"""
CHANNEL_SCALE, SCALE = 12.2, 45.4
"""Bytes of a scale and its zero point, of many in a tensor and of a single one."""
NAME, NAME_SHARE = 30, 0.8
"""Characters around a layer's name in a tensor's name, and how much of the names of folded layers is written."""


def predicted_file_bytes(program: Program) -> int:
    """Return the size of the `.tflite` file of a predicted program: its constants, and what describes them.

    Within 3 % on networks with over 50,000 weights; files of a few kilobytes, mostly descriptions, within 14 %.
    """
    constants = sum(tensor.constant for tensor in program.tensors)
    scales = [tensor.scales for tensor in program.tensors]
    described = (
        FILE
        + ACTIVATION * (len(program.tensors) - constants)
        + CONSTANT * constants
        + OPERATOR * len(program.operators)
        + WEIGHTED_OPERATOR * sum(operator.name in WEIGHTED for operator in program.operators)
        + CHANNEL_SCALE * sum(scale for scale in scales if scale > 1)
        + SCALE * scales.count(1)
        + NAME_SHARE * sum(map(_folded_names, program.operators))
    )
    return program.constant_bytes + round(described)


def _folded_names(operator: Operator) -> int:
    """Return the characters of the names of layers that were folded into an operator."""
    written = 3 if operator.name in WEIGHTED else 1
    return written * sum(len(name) + NAME for name in operator.options.get("folds", ()))
