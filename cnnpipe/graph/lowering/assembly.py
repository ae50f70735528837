"""From the draft to the program: types, constants that are stored once, and the operators at both ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cnnpipe.graph.lowering.draft import Constant, Draft, Step, Value
from cnnpipe.program import Operator, Program, Tensor

TYPES = {
    "none": {"weights": "float32", "bias": "float32", "numbers": "float32", "integers": "int32"},
    "int8": {"weights": "int8", "bias": "int32", "numbers": "int8", "integers": "int32"},
}
"""Types of constants by their role, for each quantization."""
ACTIVATIONS = {"none": "float32", "int8": "int8"}
"""Types of what operators write."""
FLOAT_ONLY = {"none": (), "int8": ("ELU", "NEG", "SQUARE")}
"""Operators that compute in float all the same."""


FLOAT = "float32"
LAST = {"uint8": "QUANTIZE", "float32": "DEQUANTIZE"}
"""The last operator of an int8 program whose output is of another type."""


class _Assembly:
    """Tensors and operators so far."""

    def __init__(self, quantization: str, granularity: str) -> None:
        self.quantization, self.per_channel = quantization, granularity == "per_channel"
        self.inside = ACTIVATIONS[quantization]
        self.tensors: list[Tensor] = []
        self.operators: list[Operator] = []
        self.positions: dict[object, int] = {}

    def activation(self, key: object, value: Value, dtype: str = "") -> int:
        dtype = dtype or value.dtype or self.inside
        return self._position(key, Tensor("", value.shape, dtype, scales=int(dtype in ("int8", "uint8"))))

    def constant(self, constant: Constant) -> int:
        scales = constant.channels if self.per_channel else 1
        if self.quantization == "none" or constant.role == "integers":
            scales = 0
        return self._position(
            constant, Tensor("", constant.shape, TYPES[self.quantization][constant.role], True, scales)
        )

    def step(self, step: Step, readers: Sequence[Step], is_quantized: bool) -> None:
        """Add the operator of a step, in float between DEQUANTIZE and QUANTIZE where it has no other way.

        `is_quantized` says that its result is wanted quantized in any case.
        """
        if self.is_float(step):
            (source,) = step.values
            reads: tuple[int, ...] = (self.as_float(source, step.layer),)
            wrote = self.activation((step.writes, FLOAT), step.writes, FLOAT)
            self.operators.append(Operator(step.name, reads, (wrote,), 0, step.options, step.layer))
            if is_quantized or not all(self.is_float(reader) for reader in readers):
                self.positions[step.writes] = self.convert("QUANTIZE", wrote, step.writes, self.inside, step.layer)
            return
        reads = tuple(-1 if read is None else self.positions[read] for read in step.reads)
        wrote = self.activation(step.writes, step.writes)
        self.operators.append(Operator(step.name, reads, (wrote,), step.macs, _options(step), step.layer))

    def is_float(self, step: Step) -> bool:
        """Return whether a step computes in float although the program does not."""
        return step.name in FLOAT_ONLY[self.quantization]

    def as_float(self, value: Value, layer: str) -> int:
        """Return a value in float, by DEQUANTIZE unless it was made so."""
        if (value, FLOAT) not in self.positions:
            self.positions[value, FLOAT] = self.convert("DEQUANTIZE", self.positions[value], value, FLOAT, layer)
        return self.positions[value, FLOAT]

    def convert(self, name: str, source: int, value: Value, dtype: str, layer: str) -> int:
        """Add an operator that changes a tensor's type, and return what it writes."""
        target = self.activation((value, name, dtype), value, dtype)
        self.operators.append(Operator(name, (source,), (target,), layer=layer))
        return target

    def _position(self, key: object, tensor: Tensor) -> int:
        if key not in self.positions:
            self.positions[key] = len(self.tensors)
            self.tensors.append(tensor)
        return self.positions[key]


def assemble(draft: Draft, quantization: str, ends: tuple[str, str], granularity: str) -> Program:
    """Return the program of a draft with one input. Its tensors are inputs, constants, and what operators write.

    What makes floats of an output comes right after what writes it, what makes other integers of it comes last of all.

    Args:
        draft: The steps.
        quantization: What happens to weights and activations.
        ends: Types of the input and of the outputs.
        granularity: Whether int8 weights have a scale for each output channel.
    """
    made = _Assembly(quantization, granularity)
    (first,), steps = draft.inputs, draft.steps
    start = made.activation(first, first, ends[0])
    written: dict[Value, int] = {}
    for step in steps:
        for read in step.reads:
            if isinstance(read, Constant):
                made.constant(read)
    if draft.readers(first) and all(made.is_float(reader) for reader in draft.readers(first)):
        made.positions |= {(first, FLOAT): start} if ends[0] == FLOAT else {}
    elif ends[0] != made.inside:
        made.positions[first] = made.convert("QUANTIZE", start, first, made.inside, steps[0].layer)
    for step in steps:
        made.step(step, draft.readers(step.writes), step.writes in draft.outputs and ends[1] != FLOAT)
        if step.writes in draft.outputs and ends[1] == FLOAT:
            written[step.writes] = _end(made, step.writes, ends[1], step.layer)
    layers = {step.writes: step.layer for step in steps}
    for value in draft.outputs:
        if value in layers and value not in written:
            written[value] = _end(made, value, ends[1], layers[value])
    last = [written.get(value) for value in draft.outputs]
    return Program(
        tuple(made.tensors),
        tuple(made.operators),
        (start,),
        tuple(_end(made, first, ends[1], "") if position is None else position for position in last),
    )


def _end(made: _Assembly, value: Value, dtype: str, layer: str) -> int:
    """Return the position of the output, changed to its type unless it was made so."""
    if dtype == made.inside or value.dtype:  # integers have a type of their own
        return made.positions[value]
    if dtype == FLOAT and (value, FLOAT) in made.positions:
        return made.positions[value, FLOAT]
    return made.convert(LAST[dtype], made.positions[value], value, dtype, layer)


def _options(step: Step) -> dict[str, Any]:
    return {**step.options, "folds": tuple(step.folds)} if step.folds else step.options
