"""From the draft to the program: types, constants that are stored once, and the operators at both ends."""

from __future__ import annotations

from dataclasses import dataclass, field

from cnnpipe.graph.lowering.draft import Constant, Draft, Value
from cnnpipe.program import Operator, Program, Tensor

TYPES = {
    "none": {"weights": "float32", "bias": "float32", "numbers": "float32", "integers": "int32"},
    "int8": {"weights": "int8", "bias": "int32", "numbers": "int8", "integers": "int32"},
}
"""Types of constants by their role, for each quantization."""
ACTIVATIONS = {"none": "float32", "int8": "int8"}
"""Types of what operators write."""
END_OPERATORS = {"uint8": ("QUANTIZE", "QUANTIZE"), "float32": ("QUANTIZE", "DEQUANTIZE")}
"""Which operators an int8 program has at its ends, for each other type of its inputs and outputs."""


@dataclass
class _Assembly:
    quantization: str
    per_channel: bool
    tensors: list[Tensor] = field(default_factory=list)
    operators: list[Operator] = field(default_factory=list)
    positions: dict[Value | Constant | str, int] = field(default_factory=dict)

    def activation(self, key: Value | str, shape: tuple[int, ...], dtype: str) -> int:
        scales = int(dtype != "float32")
        return self._position(key, Tensor("", shape, dtype, scales=scales))

    def constant(self, constant: Constant) -> int:
        dtype = TYPES[self.quantization][constant.role]
        scales = constant.channels if self.per_channel else 1
        if self.quantization == "none" or constant.role == "integers":
            scales = 0
        return self._position(constant, Tensor("", constant.shape, dtype, True, scales))

    def _position(self, key: Value | Constant | str, tensor: Tensor) -> int:
        if key not in self.positions:
            self.positions[key] = len(self.tensors)
            self.tensors.append(tensor)
        return self.positions[key]


def assemble(draft: Draft, quantization: str, input_type: str, granularity: str) -> Program:
    """Return the program of a draft with one input. Its tensors are inputs, constants, and what operators write."""
    made, inside = _Assembly(quantization, granularity == "per_channel"), ACTIVATIONS[quantization]
    (first,), (last,) = draft.inputs, draft.outputs
    ends = END_OPERATORS[input_type] if input_type != inside else None
    steps = draft.steps
    inputs = made.activation("input" if ends else first, first.shape, input_type)
    for step in steps:
        for read in step.reads:
            if isinstance(read, Constant):
                made.constant(read)
    if ends:
        quantized = made.activation(first, first.shape, inside)
        made.operators.append(Operator(ends[0], (inputs,), (quantized,), layer=steps[0].layer))
    for step in steps:
        reads = tuple(-1 if read is None else made.positions[read] for read in step.reads)
        writes = (made.activation(step.writes, step.writes.shape, inside),)
        made.operators.append(Operator(step.name, reads, writes, step.macs, step.options, step.layer))
    outputs = made.positions[last]
    if ends:
        inner, outputs = outputs, made.activation("output", last.shape, input_type)
        made.operators.append(Operator(ends[1], (inner,), (outputs,), layer=steps[-1].layer))
    return Program(tuple(made.tensors), tuple(made.operators), (inputs,), (outputs,))
