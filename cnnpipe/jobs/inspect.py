"""Look into any LiteRT file: operators, tensors, scales, multiply-adds, the arena, and the targets that it fits."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cnnpipe import litert_file
from cnnpipe.child import Child, ChildError
from cnnpipe.errors import Problem, ProblemError
from cnnpipe.exporters import Quantization, TensorFacts
from cnnpipe.jobs.fitting_targets import Fit, Subject, fitting_targets, not_judged, quantization_of
from cnnpipe.litert_metadata import Metadata, read_metadata
from cnnpipe.program import Arena, Operator, Program, plan_arena
from cnnpipe.registry import plugin_folders

SECONDS = 60.0
"""Longest time to look into a file."""
MEMORY = 4 * 2**30
"""Bytes of address space for it, beside eight times the file."""


@dataclass(frozen=True)
class Inspection:
    """What a LiteRT file holds.

    Args:
        file: The file.
        bytes: Its size.
        quantization: What happened to weights and activations, by the types of tensors.
        inputs: Its inputs, in its own order.
        outputs: Its outputs, in its own order.
        program: Its first graph.
        arena: What LiteRT Micro would make of that: the head is exact for the reference kernels, the tail estimated.
        metadata: What it says of itself; None when it says nothing.
        fits: How it fits each target.
        notes: What else is to be known, one sentence each.
    """

    file: Path
    bytes: int
    quantization: Quantization
    inputs: tuple[TensorFacts, ...]
    outputs: tuple[TensorFacts, ...]
    program: Program
    arena: Arena
    metadata: Metadata | None
    fits: tuple[Fit, ...]
    notes: tuple[str, ...]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many operators there are of each name, the most frequent first."""
        return dict(Counter(operator.name for operator in self.program.operators).most_common())

    def as_json(self) -> dict[str, Any]:
        """Return the plain form: file, operators, inputs, outputs, macs, arena with head and tail, targets, notes."""
        found = {
            "file": str(self.file),
            "bytes": self.bytes,
            "quantization": self.quantization,
            "operators": [_operator(self.program, operator) for operator in self.program.operators],
            "operator_counts": dict(self.counts),
            "tensors": len(self.program.tensors),
            "inputs": [asdict(tensor) for tensor in self.inputs],
            "outputs": [asdict(tensor) for tensor in self.outputs],
            "macs": self.program.macs,
            "arena": {
                "head": self.arena.head,
                "tail": self.arena.tail,
                "total": self.arena.total,
                "peak": self.arena.peak,
            },
            "metadata": self.metadata and asdict(self.metadata),
            "targets": [{**asdict(fit), "fits": not fit.reasons} for fit in self.fits],
            "notes": list(self.notes),
        }
        return dict(_finite(found))


def inspect(file: str | Path) -> Inspection:
    """Look into a `.tflite` file, by whomever it was made, in a process of its own and without TensorFlow.

    Raises:
        ProblemError: It is not there, is no LiteRT file or a damaged one, or takes too long to read.
    """
    path = Path(file)
    if not path.is_file():
        what = f"{path} is a folder, no LiteRT file" if path.is_dir() else f"the file {path} does not exist"
        raise ProblemError(Problem(what, hint="Give a .tflite file." if path.is_dir() else ""))
    memory = MEMORY + 8 * path.stat().st_size
    with Child("the process that looks into the file", plugin_folders(), memory) as child:
        try:
            found: Inspection = child.call("cnnpipe.jobs.inspect.look", path, timeout=SECONDS)
        except ChildError as error:
            raise error.about(str(path)) from None
    return found


def plot(inspection: Inspection, file: str | Path) -> None:
    """Draw the plan of the arena.

    Args:
        inspection: What `inspect` returned.
        file: Where to write; its ending, .svg or .png, is the format.

    Raises:
        ProblemError: The ending is another one, or the file cannot be written.
    """
    from cnnpipe.report.arena_plot import plot_arena

    title = f"{inspection.file.name}: head of the arena in LiteRT Micro, {inspection.arena.head:,} bytes"
    plot_arena(inspection.program, inspection.arena, title, Path(file))


def look(file: Path) -> Inspection:
    """Do what `inspect` promises. Runs in a child process, with little memory."""
    try:
        return _look(file)
    except ProblemError:
        raise
    except Exception as error:  # an operator without the inputs that it must have, or whatever else is damaged
        what = f"{type(error).__name__}: {error}"
        raise ProblemError(Problem(f"{file.name} is a damaged LiteRT file ({what})")) from None


def _look(file: Path) -> Inspection:
    data = file.read_bytes()
    model = litert_file.read(data, file.name)
    program = litert_file.read_program(data, file.name)
    facts = litert_file.inspect(file)
    metadata, notes = _metadata(file)
    arena = plan_arena(program)
    fits = fitting_targets(Subject(program, arena, len(data), metadata is not None))
    return Inspection(
        file=file,
        bytes=len(data),
        quantization=quantization_of(program),
        inputs=facts.inputs,
        outputs=facts.outputs,
        program=program,
        arena=arena,
        metadata=metadata,
        fits=fits,
        notes=(*notes, *_notes(model)),
    )


def _metadata(file: Path) -> tuple[Metadata | None, list[str]]:
    """Return what a file says of itself. Broken metadata are a note: the file works without."""
    try:
        return read_metadata(file), []
    except ProblemError as error:
        return None, [f"{problem.message}." for problem in error.problems]


def _notes(model: Any) -> list[str]:
    graph, notes = model.subgraphs[0], []
    if len(model.subgraphs) > 1:
        notes.append(f"It holds {len(model.subgraphs)} graphs; all numbers are of the first.")
    signatures = [graph.tensors[position].shapeSignature for position in graph.inputs]
    if any(signature is not None and -1 in list(signature) for signature in signatures):
        notes.append("An input has a size that may change; all numbers are for the size that is stored.")
    if names := not_judged():
        notes.append(f"Not judged, as they need options: {', '.join(names)}.")
    return notes


def _operator(program: Program, operator: Operator) -> dict[str, Any]:
    output = program.tensors[operator.outputs[0]] if operator.outputs else None
    return {
        "name": operator.name,
        "layer": operator.layer,
        "macs": operator.macs,
        "output_shape": output and list(output.shape),
        "output_type": output and output.dtype,
        "inputs": list(operator.inputs),
        "outputs": list(operator.outputs),
    }


def _finite(value: Any) -> Any:
    """Return plain values with null for numbers that JSON cannot say."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
