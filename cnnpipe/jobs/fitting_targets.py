"""Which targets a program fits, and why not the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from pydantic import ValidationError

from cnnpipe.exporters import CALIBRATED, Quantization
from cnnpipe.program import Arena, Program
from cnnpipe.registry import room
from cnnpipe.targets import Target

LISTED = 3
_NO_ISLANDS = ("DEQUANTIZE", "QUANTIZE")


@dataclass(frozen=True)
class Subject:
    """A file, as a target judges it.

    Args:
        program: What it computes.
        arena: The planned arena.
        bytes: Size of the file.
        metadata: Whether it says its labels and normalization itself.
    """

    program: Program
    arena: Arena
    bytes: int
    metadata: bool


@dataclass(frozen=True)
class Fit:
    """How a file fits a target.

    Args:
        target: The target's label.
        reasons: Why it does not fit; empty when it does.
        warnings: What runs there, but badly.
        seconds: An order of magnitude for one example as its band; None where nothing is known.
    """

    target: str
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    seconds: tuple[float, float] | None


def quantization_of(program: Program) -> Quantization:
    """Return what happened to weights and activations, from the types of tensors alone."""
    computing = [operator for operator in program.operators if operator.macs] or list(program.operators)
    read = [program.tensors[position] for operator in computing for position in operator.inputs if position >= 0]
    activations = {tensor.dtype for tensor in read if not tensor.constant}
    if activations & {"int8", "uint8"}:
        return "int8"
    if "int16" in activations:
        return "int16x8"
    if any(tensor.constant and tensor.scales and tensor.dtype in ("int8", "int4") for tensor in read):
        return "dynamic_range"
    return "float16" if any(tensor.constant and tensor.dtype == "float16" for tensor in program.tensors) else "none"


def fitting_targets(subject: Subject) -> tuple[Fit, ...]:
    """Judge a file by every target, with every board of it."""
    quantization = quantization_of(subject.program)
    return tuple(_fit(target, subject, quantization) for target in every_target())


def every_target() -> Iterator[Target]:
    """Yield all targets with their defaults; those that need a board with each board that they know."""
    here = room("targets")
    for name in sorted(here.names()):
        kind = cast(type[Target], here.load(name))
        try:
            yield kind.model_validate({"type": name})
        except ValidationError:
            for board in sorted(room("boards").names()):
                if options := kind.meant_by(board):
                    yield kind.model_validate({"type": name, **options})


def not_judged() -> tuple[str, ...]:
    """Return the targets that need options which only a recipe states."""
    judged = {target.type for target in every_target()}
    return tuple(sorted(name for name in room("targets").names() if name not in judged))


def _fit(target: Target, subject: Subject, quantization: Quantization) -> Fit:
    program = subject.program
    reasons = list(dict.fromkeys(_own_reasons(target, subject, quantization)))
    warnings: list[str] = []
    if quantization in target.input_types:
        for misfit in target.misfits(program, quantization):
            found = reasons if misfit.severity == "error" else warnings
            if misfit.message not in found:
                found.append(misfit.message)
    return Fit(target.label, _some(reasons), _some(warnings), target.latency_seconds(program))


def _called(quantization: Quantization) -> str:
    """Return what a file without quantization is called, which nobody asked for by a recipe's word."""
    return "float32" if quantization == "none" else quantization


def _own_reasons(target: Target, subject: Subject, quantization: Quantization) -> Iterator[str]:
    """Yield what any target may object to: quantization, types, islands of float, metadata and memory."""
    program = subject.program
    if quantization not in target.input_types:
        yield f"it runs {', '.join(map(_called, target.input_types))}, not {_called(quantization)}"
        return
    if target.metadata and not subject.metadata:
        yield "its client reads labels and normalization from metadata, and there are none inside"
    types = {program.tensors[position].dtype for position in program.inputs}
    if target.metadata and types - {target.input_types[quantization]}:
        yield f"its client feeds {target.input_types[quantization]}, and the input is {', '.join(sorted(types))}"
    islands = [operator.name for operator in program.operators if _computes_in_float(program, operator.outputs)]
    islands = [name for name in islands if name not in _NO_ISLANDS]
    if target.builtins_only and quantization in CALIBRATED and islands:
        yield f"operators compute in float: {', '.join(dict.fromkeys(islands))}"
    if memory := target.memory():
        if subject.arena.total > memory.ram:
            yield f"the arena takes {subject.arena.total:,} bytes, it has {memory.ram:,}"
        if subject.bytes > memory.flash:
            yield f"the file has {subject.bytes:,} bytes, it has {memory.flash:,} for program and model"


def _computes_in_float(program: Program, outputs: tuple[int, ...]) -> bool:
    return any(program.tensors[position].dtype == "float32" for position in outputs)


def _some(found: list[str]) -> tuple[str, ...]:
    more = [f"{len(found) - LISTED} more like these"] if len(found) > LISTED else []
    return (*found[:LISTED], *more)
