"""The size of a file, predicted."""

from __future__ import annotations

from cnnpipe.program import Program


def predicted_file_bytes(program: Program) -> int:
    """Return the size of the `.tflite` file of a predicted program."""
    return program.constant_bytes + 200 * len(program.tensors) + 60 * len(program.operators)
