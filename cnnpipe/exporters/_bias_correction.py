"""Takes off every bias what the rounding of weights adds to its channel on average (Nagel et al. 2019, section 4.2).

A weight is rounded once and for all, so on inputs that hardly change, such as a plain background, its error does not
average out: it moves a whole channel to one side, and all that follows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cnnpipe.litert_file import packed, read, read_program

if TYPE_CHECKING:
    import numpy as np

BIAS = {"CONV_2D": 2, "DEPTHWISE_CONV_2D": 2, "FULLY_CONNECTED": 2}
"""Operators with weights, and which input their biases are."""


def corrected(data: bytes, errors: Mapping[str, np.ndarray]) -> bytes:
    """Return a file with other biases.

    Args:
        data: A `.tflite` file in int8.
        errors: The mean error of each channel, in real values, by the name of the tensor.
    """
    import numpy as np
    from ai_edge_litert import schema_py_generated as schema

    model = read(data)
    for position, error in _wrong(data, errors):
        tensor = model.subgraphs[0].tensors[position]
        stored = np.frombuffer(bytes(bytearray(model.buffers[tensor.buffer].data)), np.int32)
        moved = stored - np.rint(error / np.asarray(tensor.quantization.scale)).astype(np.int32)
        buffer: Any = schema.BufferT()
        buffer.data = np.frombuffer(moved.astype("<i4").tobytes(), np.uint8)
        tensor.buffer = len(model.buffers)  # the old one may be that of other tensors too
        model.buffers.append(buffer)
    return packed(model)


def _wrong(data: bytes, errors: Mapping[str, np.ndarray]) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the biases to be changed, as positions of tensors, with the error of each channel.

    Biases that several operators read stay as they are: they would need several values.
    """
    program = read_program(data)
    readers = Counter(position for operator in program.operators for position in operator.inputs)
    for operator in program.operators:
        place, error = BIAS.get(operator.name), errors.get(program.tensors[operator.outputs[0]].name)
        if place is None or error is None or len(operator.inputs) <= place or operator.inputs[place] < 0:
            continue
        bias = program.tensors[operator.inputs[place]]
        if bias.dtype == "int32" and readers[operator.inputs[place]] == 1 and bias.shape == error.shape:
            yield operator.inputs[place], error
